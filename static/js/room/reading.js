// How far one has read: told once the newest message has been in view for a moment.
const SEEN_AFTER_MS = 1000;

const number = (message) => Number(message?.id.slice("m-".length) || 0);

/**
 * Tell over `connection()` how far the room is read. `messages` are those of the log, `panel` is the element that is hidden when the room is.
 * Returns what to call when something may have come into view.
 */
export function reading({ messages, connection, panel }) {
  let told = 0;
  let timer = 0;

  function inView() {
    return document.visibilityState === "visible" && messages.follows && !panel?.hidden;
  }

  function tell() {
    timer = 0;
    const newest = number([...messages.articles()].at(-1));
    if (inView() && newest > told && connection().send({ read: newest })) told = newest;
  }

  function look() {
    if (inView()) timer ||= setTimeout(tell, SEEN_AFTER_MS);
  }

  document.addEventListener("visibilitychange", look);
  return look;
}
