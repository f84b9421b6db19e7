// What somebody publishes of a dashboard comes into the open page. Widgets that stay keep what they show: the socket
// brings what changed in them. Those that are new come with the page as the server draws it now.

const TRIES = 5;
const AGAIN_MS = 300;

/** Lay the page out as its newest revision, and return the pulse of that; null if the page has to be loaded anew. */
export async function follow(pulse) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const page = await loaded();
    const fresh = page?.getElementById("widgets");
    const told = page?.getElementById("pulse")?.dataset;
    if (!fresh || told.build !== pulse().build) return null;
    if ([topic, variables].some((of) => of(page) !== of(document))) return null;
    // What came over the socket since this page was drawn is newer than what is on it.
    if (told.epoch === pulse().epoch && Number(told.version) >= Number(pulse().version)) {
      lay(fresh, page);
      return { ...told };
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
  return null;
}

async function loaded() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok || new URL(answer.url).pathname !== location.pathname) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

const topic = (page) => page.getElementById("live")?.getAttribute("hx-ws:connect");

const variables = (page) => [...page.querySelectorAll("[data-variables] summary > .variable-name")].map((one) => one.textContent).join();

/** What may be chosen now; a list that is open stays as it is. */
function offer(page) {
  const [shown, fresh] = [document, page].map((one) => [...one.querySelectorAll("[data-variables] > details")]);
  shown.forEach((details, place) => {
    if (details.open) return;
    for (const part of [".variable-chosen", ".variable-options"]) {
      details.querySelector(part).replaceChildren(...fresh[place].querySelector(part).childNodes);
    }
  });
}

function lay(fresh, page) {
  const shown = document.getElementById("widgets");
  const known = new Map([...shown.children].map((one) => [one.id, one]));
  const wanted = [...fresh.children].map((one) => {
    const kept = one.id && known.get(one.id);
    if (kept) kept.className = one.className; // where it stands, and how large
    return kept || document.adoptNode(one);
  });
  for (const gone of [...shown.children].filter((one) => !wanted.includes(one))) gone.remove();
  wanted.forEach((one, place) => {
    if (shown.children[place] !== one) shown.insertBefore(one, shown.children[place] ?? null);
  });
  offer(page);
  const [heading, title] = [document, page].map((one) => one.querySelector("header h1"));
  if (heading && title && heading.textContent !== title.textContent) heading.replaceChildren(...title.childNodes);
  const count = /^(\u26a0\d+ )?(\(\d+\) )?/.exec(document.title)?.[0] ?? "";
  document.title = count + page.title;
}
