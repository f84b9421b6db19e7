// The list of alerts: several are chosen, by mouse, touch or keyboard, and answered together. Rows come anew all the time.
const list = document.getElementById("alerts");
const form = document.getElementById("group");

const chosen = new Set();
const count = form.querySelector("[data-count]");
const silence = form.querySelector("[data-to-silence]");
const before = count.textContent;

const boxes = () => [...list.querySelectorAll("input[name=alert]")];
const rowOf = (element) => element?.closest?.("tr[id^=alert-]");

function show() {
  const there = boxes();
  form.hidden = !list.querySelector("[data-may-acknowledge]"); // the right to take alerts comes and goes
  for (const id of chosen) if (!there.some((box) => box.value === id)) chosen.delete(id);
  for (const box of there) if (box.checked !== chosen.has(box.value)) box.checked = chosen.has(box.value);
  const said = chosen.size ? `${chosen.size} ${chosen.size === 1 ? "alert is" : "alerts are"} chosen.` : before;
  if (count.textContent !== said) count.textContent = said;
  form.classList.toggle("any", chosen.size > 0);
  if (silence) silence.href = `${form.dataset.silence}?${new URLSearchParams([...chosen].map((id) => ["alert", id]))}`;
}

function choose(box, on) {
  if (on) chosen.add(box.value);
  else chosen.delete(box.value);
  show();
}

function step(by) {
  const rows = boxes().map(rowOf);
  if (!rows.length) return;
  const at = rows.indexOf(rowOf(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  const link = rows[next].querySelector("th a");
  link.focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

list.addEventListener("change", (event) => {
  if (event.target.name === "alert") choose(event.target, event.target.checked);
});
form.addEventListener("click", (event) => {
  const { step: by, choose: toggles } = event.target.dataset;
  if (by) step(Number(by));
  if (toggles === undefined) return;
  const box = rowOf(document.activeElement)?.querySelector("input[name=alert]");
  if (box) choose(box, !chosen.has(box.value));
});
new MutationObserver(show).observe(list, { childList: true, subtree: true });
show();
