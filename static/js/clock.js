// Server time. The clock of the machine that shows the page is never read for it: the pulse brings the time,
// and the browser's monotonic clock carries it on until the next one.

let serverTime = 0;
let takenAt = 0;

/** Take over the server's time (Unix seconds), which is true now. */
export function setServerTime(seconds) {
  serverTime = seconds;
  takenAt = performance.now();
}

/** Server time now, in Unix seconds. */
export function now() {
  return serverTime + (performance.now() - takenAt) / 1000;
}

/** How many seconds ago, in the words a person would use: "4 s", "12 min", "3 h", "2 d". */
export function age(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 100) return `${whole} s`;
  if (whole < 100 * 60) return `${Math.floor(whole / 60)} min`;
  if (whole < 48 * 3600) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

/** The server's time zone; undefined, and so the browser's own, where the browser does not know that one. */
function serverZone() {
  const timeZone = document.documentElement.dataset.timeZone || undefined;
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone });
    return timeZone;
  } catch {
    return undefined;
  }
}

const timeZone = serverZone();

/** The name of the zone that times are shown in. */
export const zone = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The time of day at `seconds` (Unix), in the server's time zone or another. */
export function timeOfDay(seconds, withSeconds = false, inZone = timeZone) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", {
    timeZone: inZone,
    hour: "2-digit",
    minute: "2-digit",
    second: withSeconds ? "2-digit" : undefined,
  });
}

/** The day at `seconds` (Unix) in a zone, and its offset from UTC, as `metrics/widgets/clock.py` says them. */
export function dayIn(seconds, inZone) {
  const format = { timeZone: inZone, weekday: "short", day: "numeric", month: "short", timeZoneName: "longOffset" };
  const parts = new Intl.DateTimeFormat("en-US", format).formatToParts(seconds * 1000);
  const { weekday, day, month, timeZoneName } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return `${weekday} ${day} ${month} · ${timeZoneName.replace("GMT", "UTC")}`;
}

/** The two largest units of a time to come, as `metrics/widgets/countdown.py` says it; empty if it is over. */
export function left(seconds) {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (whole <= 0) return "";
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Put `text` into an element, if there is one and it says something else. */
export function set(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/**
 * Bring all clocks and countdowns of the page up to now, but for those in drawings, which stay what they were. A zone that
 * this browser does not know stays as it came.
 */
export function tickClocks() {
  const time = now();
  for (const clock of document.querySelectorAll("[data-clock]:not(.drawing *)")) {
    const { inZone } = clock.dataset;
    try {
      set(clock, timeOfDay(time, "seconds" in clock.dataset, inZone));
      if (inZone) set(clock.parentElement.querySelector("[data-day]"), dayIn(time, inZone));
    } catch {
      continue;
    }
  }
  for (const one of document.querySelectorAll("[data-until]:not(.drawing *)")) {
    set(one, left(Number(one.dataset.until) - time) || one.dataset.reached);
  }
}
