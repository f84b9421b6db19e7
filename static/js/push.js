// Web Push in this browser: on or off, or why it can't be.
const section = document.querySelector("[data-push]");
const button = section.querySelector("[data-push-toggle]");
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
const zone = document.querySelector("[data-suggest-zone]");

function say(state, why = "") {
  for (const one of section.querySelectorAll("[data-when]")) one.hidden = one.dataset.when !== state;
  section.querySelector("[data-why]").textContent = why;
  button.hidden = state !== "off" && state !== "on";
  button.textContent = state === "on" ? "Stop in this browser" : "Show in this browser";
  button.dataset.on = state === "on" ? "1" : "";
}

function bytes(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (one) => one.charCodeAt(0));
}

async function digest(endpoint) {
  const found = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return Array.from(new Uint8Array(found), (one) => one.toString(16).padStart(2, "0")).join("");
}

/** Return whether the server sends to this subscription, with the key that it was made for. */
async function isKnown(subscription) {
  const key = subscription.options.applicationServerKey;
  const same = !key || String(new Uint8Array(key)) === String(bytes(section.dataset.key));
  return same && section.querySelector(`[data-digest="${await digest(subscription.endpoint)}"]`) !== null;
}

async function look() {
  if (!isSecureContext) return say("insecure");
  if (!("serviceWorker" in navigator && "PushManager" in window)) return say("unsupported");
  if (!section.dataset.key) return say("unready");
  if (Notification.permission === "denied") return say("denied");
  const worker = await navigator.serviceWorker.getRegistration("/");
  const subscription = await worker?.pushManager.getSubscription();
  say(subscription && (await isKnown(subscription)) ? "on" : "off");
}

async function post(url, fields) {
  const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": token }, body: new URLSearchParams(fields) });
  if (!answer.ok) throw new Error(answer.status === 422 ? await answer.text() : "The server did not take it.");
}

async function start() {
  if ((await Notification.requestPermission()) !== "granted") return look();
  const worker = await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  const old = await worker.pushManager.getSubscription();
  if (old && !(await isKnown(old))) await old.unsubscribe();
  const made = await worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(section.dataset.key),
  });
  const { endpoint, keys } = made.toJSON();
  await post(section.dataset.subscribe, { endpoint, p256dh: keys.p256dh, auth: keys.auth });
  location.reload();
}

async function stop() {
  const worker = await navigator.serviceWorker.getRegistration("/");
  const subscription = await worker?.pushManager.getSubscription();
  if (subscription) {
    await post(section.dataset.unsubscribe, { endpoint: subscription.endpoint });
    await subscription.unsubscribe();
  }
  location.reload();
}

button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    await (button.dataset.on ? stop() : start());
  } catch (error) {
    say("failed", error.message);
    button.hidden = false;
  } finally {
    button.disabled = false;
  }
});

if (zone) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...zone.options].some((one) => one.value === here)) zone.value = here;
}
look().catch((error) => say("failed", error.message));
