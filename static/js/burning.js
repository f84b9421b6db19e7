// The banner of a wall: says that it was drawn, and, if the wall follows what burns, shows the dashboard of that meanwhile.
import { wallName } from "./wall-name.js";

const CALM_MS = 15_000; // so that what fires again at once does not turn the wall twice
const HOME = "home"; // in sessionStorage: the address to go back to
const told = new Set();
let calm = 0;

const banner = () => document.getElementById("burning");

async function tell(id) {
  told.add(id);
  const form = new FormData(document.getElementById("seen"));
  form.set("wall", wallName());
  form.set("dashboard", location.pathname.split("/")[2]);
  await fetch(`/incidents/${id}/seen/`, { method: "POST", body: form }).catch(() => told.delete(id));
}

function follow() {
  const { follow: target } = banner().dataset;
  if (target === undefined) return;
  const home = sessionStorage.getItem(HOME);
  clearTimeout(calm);
  if (target && new URL(target, location.href).pathname !== location.pathname) {
    if (!home) sessionStorage.setItem(HOME, location.href);
    location.assign(target);
  } else if (!target && home) {
    calm = setTimeout(() => {
      sessionStorage.removeItem(HOME);
      location.assign(home);
    }, CALM_MS);
  }
}

function drawn() {
  for (const id of (banner()?.dataset.seen ?? "").split(" ").filter(Boolean)) if (!told.has(id)) tell(id);
  if (banner()) follow();
}

new MutationObserver(drawn).observe(document.body, { subtree: true, attributeFilter: ["data-seen", "data-follow"] });
drawn();
