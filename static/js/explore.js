// The query is drawn while one types, the address follows it, and a page that nobody looks at is not renewed.

const WAIT_MS = 400;
const form = document.getElementById("explore-form");
let timer = 0;
let asked = 0;

const place = () => document.getElementById("explored");

async function draw() {
  const turn = (asked += 1);
  const url = new URL(form.action);
  url.search = new URLSearchParams(new FormData(form));
  const answer = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer || turn !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("explored");
  if (!fresh) return;
  place().replaceWith(fresh);
  window.htmx.process(fresh);
  document.dispatchEvent(new Event("renewed"));
  if (fresh.dataset.address) history.replaceState(null, "", fresh.dataset.address);
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  if (["query-metric", "query-promql"].some((name) => form.elements[name]?.value.trim())) timer = setTimeout(draw, WAIT_MS);
});

document.addEventListener("htmx:before:request", (event) => {
  if (event.target === place() && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) window.htmx.trigger(place(), "wake");
});
