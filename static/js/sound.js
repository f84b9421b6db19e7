// A sound when one more critical alert fires, in browsers where somebody wants it: a tone that is made here, no file.
import { critical } from "./alerts.js";

const KEY = "alert-sound"; // in localStorage
const NOTES = [880, 660, 880]; // Hz
const NOTE_S = 0.18;
const AGAIN_MS = 2000; // many at once are one sound

let heard = critical();
let soundedAt = -AGAIN_MS;
let context = null;

const isOn = () => localStorage.getItem(KEY) === "1";

function sound() {
  context ??= new AudioContext();
  context.resume();
  NOTES.forEach((hertz, place) => {
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    const at = context.currentTime + place * NOTE_S;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_S);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + NOTE_S);
  });
  soundedAt = performance.now();
}

function changed() {
  const now = critical();
  if (now > heard && isOn() && performance.now() - soundedAt >= AGAIN_MS) sound();
  heard = now;
}

function show(button) {
  button.setAttribute("aria-pressed", String(isOn()));
  button.hidden = false;
}

for (const button of document.querySelectorAll("[data-sound]")) {
  show(button);
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, isOn() ? "0" : "1");
    show(button);
    if (isOn()) sound(); // as an example; and a browser plays nothing before somebody pressed something
  });
}

new MutationObserver(changed).observe(document.body, { subtree: true, attributeFilter: ["data-critical", "data-critical-down"] });
