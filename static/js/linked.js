// A page that was opened by a link: its widgets open within the link, other pages in a tab of their own, incidents, which
// are for those who are signed in, nowhere; and when the link is over, so is the page.

const OVER = 4410;
const [home] = /^\/link\/\d+\//.exec(location.pathname);
const [, own] = /\/ws\/dashboards\/([\w-]+)\//.exec(document.getElementById("live").getAttribute("hx-ws:connect"));

function lead(event) {
  const anchor = event.target.closest?.("#widgets a[href], .numbers a[href]");
  if (anchor?.getAttribute("href").startsWith("/incidents/")) {
    anchor.removeAttribute("href");
    return;
  }
  if (!anchor || anchor.origin !== location.origin || anchor.pathname.startsWith(home)) {
    if (anchor && anchor.origin !== location.origin) anchor.target = "_blank";
    return;
  }
  const widget = /^\/d\/([\w-]+)\/(w\/[\w-]+\/)$/.exec(anchor.pathname);
  if (widget?.[1] === own) anchor.href = home + widget[2] + location.search;
  else anchor.target = "_blank";
}

for (const kind of ["click", "pointerdown", "pointerover"]) document.addEventListener(kind, lead, { capture: true, passive: true });

// The values go with the link; but only once the server says that it is over.
document.addEventListener("htmx:ws:close", async (event) => {
  if (event.detail.code !== OVER) return;
  const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.status === 410) location.reload();
});
