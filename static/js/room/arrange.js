// How messages stand to each other: under the day they were written on, and together if one person wrote several.
import { zone } from "../clock.js";

const TOGETHER_S = 300;

const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** The day of a message (an article), as people read it. */
export const dayOf = (message) => day.format(1000 * Number(message.dataset.at));

/** Whether a message needs no heading of its own below the one `before` it. */
export function isTogether(message, before) {
  const passed = Number(message.dataset.at) - Number(before.dataset.at);
  return message.dataset.by === before.dataset.by && passed < TOGETHER_S && !message.querySelector(".quoted");
}

function separator(text) {
  const made = document.createElement("p");
  made.className = "day";
  made.textContent = text;
  return made;
}

function isOf(me, message) {
  const names = [...message.querySelectorAll("[data-mention]")].map((one) => one.dataset.mention);
  return names.some((one) => one === me.name.replace(" ", ":") || (one.startsWith("team:") && me.teams.includes(one.slice(5))));
}

/** Put days between the messages of `log`, and mark groups and what concerns `me`; done twice, it changes nothing. */
export function arrange(log, me) {
  let before = null;
  for (const message of log.querySelectorAll("article")) {
    const today = dayOf(message);
    const isNew = !before || dayOf(before) !== today;
    const above = message.previousElementSibling;
    const there = above?.classList.contains("day") ? above : null;
    if (isNew && there?.textContent !== today) message.before(separator(today));
    if (there && !(isNew && there.textContent === today)) there.remove();
    const { classList } = message;
    classList.toggle("together", !isNew && isTogether(message, before));
    classList.toggle("mine", message.dataset.by === me.name);
    classList.toggle("to-me", isOf(me, message));
    for (const chip of message.querySelectorAll(".reactions [data-by]"))
      chip.setAttribute("aria-pressed", chip.dataset.by.split("\n").includes(me.name));
    before = message;
  }
}
