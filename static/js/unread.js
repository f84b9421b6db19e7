// How much is unread: the badge in the menu brings the counts of all rooms, and each place that names a room shows its own.

const badge = () => document.getElementById("unread");

function show() {
  const counts = JSON.parse(badge()?.dataset.rooms || "{}");
  for (const place of document.querySelectorAll("[data-unread-of]")) {
    const count = counts[place.dataset.unreadOf] ?? 0;
    const text = count ? (count > 99 ? "99+" : String(count)) : "";
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !count;
  }
}

if (badge()) {
  new MutationObserver(show).observe(document.body, { subtree: true, attributeFilter: ["data-rooms"] });
  show();
}
