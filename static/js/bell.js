// The bell: how many are unread is in the title and the icon of the tab, too, and it opens the panel.
const SIZE = 64; // pixels of the icon
const FULL = 99;
const icon = document.querySelector("link[rel=icon]");
const panel = document.getElementById("panel");
const plain = icon?.href;
let shown = 0;

const bell = () => document.getElementById("bell");
const unread = () => Number(bell()?.dataset.unread || 0);
const label = (count) => (count > FULL ? `${FULL}+` : String(count));

// --- The title and the icon -----------------------------------------------------------------------------

function badge(image, count) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0, SIZE, SIZE);
  const text = label(count);
  const height = SIZE * 0.6;
  const width = Math.min(SIZE, height * (0.6 + 0.4 * text.length));
  pen.fillStyle = "#d92d2d";
  pen.beginPath();
  pen.roundRect(SIZE - width, SIZE - height, width, height, height / 2);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = `bold ${SIZE * (text.length > 2 ? 0.36 : 0.48)}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, SIZE - width / 2, SIZE - height / 2 + 2);
  return canvas.toDataURL();
}

async function mark(count) {
  shown = count;
  let href = plain;
  if (count) {
    const image = new Image();
    image.src = plain;
    try {
      await image.decode();
      href = badge(image, count);
    } catch {
      return; // a browser that can't draw it has the number in the title
    }
  }
  if (shown !== count) return; // another came meanwhile
  icon.type = count ? "image/png" : "image/svg+xml";
  icon.href = href;
}

function count() {
  const number = unread();
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = number ? `(${number}) ${title}` : title;
  if (icon && number !== shown) mark(number);
}

// --- The panel ------------------------------------------------------------------------------------------

const list = () => document.getElementById("told");
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
  const row = event.target.closest?.("#told li");
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
