// The bell: how many are unread, and how many critical alerts fire, is in the title and the icon of the tab, too; and it
// opens the panel.
import { critical } from "./alerts.js";

const SIZE = 64; // pixels of the icon
const FULL = 99;
const COUNTS = /^(\u26a0\d+ )?(\(\d+\) )?/;
const icon = document.querySelector("link[rel=icon]");
const panel = document.getElementById("panel");
const plain = icon?.href;
let shown = "0 0"; // critical and unread

const bell = () => document.getElementById("bell");
const unread = () => Number(bell()?.dataset.unread || 0);
const label = (count) => (count > FULL ? `${FULL}+` : String(count));

// --- The title and the icon -----------------------------------------------------------------------------

function badge(image, burning, count) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0, SIZE, SIZE);
  if (burning) corner(pen, label(burning), 0, "#d92d2d");
  if (count) corner(pen, label(count), SIZE * 0.4, burning ? "#1c5f8a" : "#d92d2d");
  return canvas.toDataURL();
}

/** A number on a badge, at the right edge, whose top is at `top`. */
function corner(pen, text, top, colour) {
  const height = SIZE * 0.6;
  const width = Math.min(SIZE, height * (0.6 + 0.4 * text.length));
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(SIZE - width, top, width, height, height / 2);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = `bold ${SIZE * (text.length > 2 ? 0.36 : 0.48)}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, SIZE - width / 2, top + height / 2 + 2);
}

async function mark(burning, count) {
  const wanted = (shown = `${burning} ${count}`);
  let href = plain;
  if (burning || count) {
    const image = new Image();
    image.src = plain;
    try {
      await image.decode();
      href = badge(image, burning, count);
    } catch {
      return; // a browser that can't draw it has the number in the title
    }
  }
  if (shown !== wanted) return; // another came meanwhile
  icon.type = burning || count ? "image/png" : "image/svg+xml";
  icon.href = href;
}

function count() {
  const [burning, number] = [critical(), unread()];
  const title = document.title.replace(COUNTS, "");
  document.title = `${burning ? `\u26a0${burning} ` : ""}${number ? `(${number}) ` : ""}${title}`;
  if (icon && `${burning} ${number}` !== shown) mark(burning, number);
}

// --- The panel ------------------------------------------------------------------------------------------

const list = () => document.getElementById("notifications");
let place = -1; // that of the notification that was just marked, so that the keyboard goes on from there

function toggle(event) {
  if (!event.target.closest?.("#bell") || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!panel?.showPopover) return; // then the link leads to the page
  event.preventDefault();
  panel.togglePopover();
}

function opened(event) {
  if (event.newState !== "open") return;
  panel.focus();
  list()?.dispatchEvent(new Event("opened"));
}

function remember(event) {
  const row = event.target.closest?.("#notifications li");
  place = row ? [...row.parentElement.children].indexOf(row) : -1;
}

function goOn() {
  if (place < 0 || (document.activeElement && document.activeElement !== document.body)) return;
  const rows = [...(list()?.querySelectorAll("li") ?? [])];
  const next = [...rows.slice(place), ...rows.slice(0, place).reverse()].find((row) => row.querySelector("button"));
  (next?.querySelector("button") ?? panel)?.focus();
  place = -1;
}

function rung() {
  count();
  if (!panel || (panel.showPopover && panel.matches(":popover-open"))) document.dispatchEvent(new Event("rung"));
}

if (bell()) {
  new MutationObserver(rung).observe(document.body, { subtree: true, attributeFilter: ["data-unread"] });
  document.addEventListener("click", toggle);
  document.addEventListener("submit", remember, true);
  document.addEventListener("htmx:after:swap", goOn);
  panel?.addEventListener("toggle", opened);
  count();
}

if (icon) {
  new MutationObserver(count).observe(document.body, { subtree: true, attributeFilter: ["data-critical", "data-critical-down"] });
  count();
}
