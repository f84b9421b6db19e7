// The messages of a room: days, groups of one sender, what is one's own, and the place where one reads.
import { arrange } from "./arrange.js";

const SHOWN = 500; // older ones go from a page that stays open for days, and are behind "Older"
const NEAR = 80; // pixels from the end at which a reader follows what comes
const FAR = 400; // pixels from the first message at which older ones are loaded

const number = (message) => Number(message?.id.slice("m-".length) || 0);

/** Look after the messages in `log`; `room` is the section around, `address` the page of the room. `reached` is called at the end. */
export function messages(log, room, address, reached) {
  const older = room.querySelector("[data-older]");
  const newer = room.querySelector("[data-newer]");
  const toEnd = room.querySelector("[data-to-end]");
  const me = { name: log.dataset.me, teams: JSON.parse(document.getElementById("log-teams")?.textContent || "[]") };
  let follows = !newer;
  let loading = false;

  const articles = () => log.querySelectorAll("article");

  function isAtEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  }

  function keepEnd() {
    if (follows) log.scrollTop = log.scrollHeight;
    if (toEnd) toEnd.hidden = follows;
  }

  function leadToOlder(first) {
    if (!first) return;
    older.href = `${address}?before=${number(first)}`;
    older.hidden = false;
  }

  function trim() {
    const all = articles();
    if (!follows || all.length <= SHOWN) return;
    for (const one of [...all].slice(0, all.length - SHOWN)) one.remove();
    leadToOlder(articles()[0]);
  }

  /** Drop a message that came again: it was said while the page was made. */
  function dropDoubles() {
    const seen = new Set();
    for (const one of [...articles()].reverse()) {
      if (seen.has(one.id)) one.remove();
      seen.add(one.id);
    }
  }

  function changed() {
    dropDoubles();
    trim();
    arrange(log, me);
    keepEnd();
  }

  async function load(link, put) {
    if (loading || link.hidden) return;
    loading = true;
    link.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${link.href}&messages=1`, { cache: "no-store" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      put([...page.querySelectorAll("article")].filter((one) => !document.getElementById(one.id)));
    } catch {
      // the link is still there to try again
    } finally {
      loading = false;
      link.removeAttribute("aria-busy");
    }
  }

  function loadOlder() {
    return load(older, (found) => {
      const height = log.scrollHeight;
      const top = log.scrollTop;
      follows = false;
      log.prepend(...found);
      arrange(log, me);
      log.scrollTop = top + log.scrollHeight - height;
      if (found.length) leadToOlder(found[0]);
      else older.hidden = true;
    });
  }

  function loadNewer() {
    return load(newer, (found) => {
      log.append(...found);
      arrange(log, me);
      if (found.length) newer.href = `${address}?after=${number(found.at(-1))}`;
      else newer.hidden = true;
    });
  }

  /** Show a message by its element's id: in place, or on a page of the past. */
  function jump(id) {
    const there = /^m-\d+$/.test(id) && document.getElementById(id);
    if (!there) return false;
    follows = false;
    there.scrollIntoView({ block: "center" });
    there.focus({ preventScroll: true });
    there.classList.add("found");
    setTimeout(() => there.classList.remove("found"), 3000);
    return true;
  }

  function follow() {
    const id = location.hash.slice(1);
    if (!/^m-\d+$/.test(id) || jump(id)) return;
    const asked = `${address}?around=${id.slice(2)}`;
    if (location.pathname === address && !location.search.includes("around=")) location.replace(`${asked}#${id}`);
  }

  arrange(log, me);
  log.classList.add("arranged");
  keepEnd();
  follow();
  addEventListener("hashchange", follow);
  log.addEventListener("scroll", () => {
    follows = isAtEnd() && !newer;
    if (toEnd) toEnd.hidden = follows;
    if (follows) reached();
    if (log.scrollTop < FAR) loadOlder();
    if (newer && isAtEnd()) loadNewer();
  });
  older.addEventListener("click", (event) => {
    event.preventDefault();
    loadOlder();
  });
  newer?.addEventListener("click", (event) => {
    event.preventDefault();
    loadNewer();
  });
  toEnd?.addEventListener("click", () => {
    follows = true;
    keepEnd();
  });
  log.addEventListener("click", (event) => {
    const link = event.target.closest("a.quoted, a.when");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !jump(link.hash.slice(1))) return;
    event.preventDefault();
    history.replaceState(null, "", location.pathname === address ? link.hash : location.href);
  });
  new ResizeObserver(keepEnd).observe(log); // a phone's keyboard takes half of it
  new MutationObserver(changed).observe(log, { childList: true, subtree: true, attributeFilter: ["data-entry"] });

  return {
    me,
    articles,

    /** Whether the newest message is in view, and what comes will be. */
    get follows() { return follows; },

    /** Whether a message is shown that the page sent with this id. */
    has: (id) => log.querySelector(`[data-client-id="${id}"]`) !== null,

    /** Follow what comes from now on, as whoever writes does. */
    toEnd() {
      follows = true;
      keepEnd();
    },
  };
}
