// Web Push: shows what comes while no page is open or looked at, and leads to what it is about.
const FALLBACK = { title: "Watchfloor", text: "You have a notification.", path: "/notifications/", tag: "" };

function told(data) {
  try {
    return { ...FALLBACK, ...data.json() };
  } catch {
    return FALLBACK; // a push service may send one without a body
  }
}

async function show(data) {
  const windows = await self.clients.matchAll({ type: "window" });
  if (windows.some((one) => one.focused)) return; // the page itself shows it
  const { title, text, path, tag } = told(data);
  await self.registration.showNotification(title, { body: text, tag, icon: "/static/favicon.svg", data: { path } });
}

async function open(path) {
  const url = new URL(path, self.location.origin);
  const ours = url.origin === self.location.origin ? url.href : new URL(FALLBACK.path, self.location.origin).href;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((one) => one.url === ours);
  return there ? there.focus() : self.clients.openWindow(ours);
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(event.data)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.path ?? FALLBACK.path));
});
