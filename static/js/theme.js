/* Light or dark: what ?theme= says, else what was chosen here before, else what the system prefers.
   Loaded before the page is painted, so that a wall in a dark room never flashes white. */
(() => {
  const THEMES = ["auto", "dark", "light"];
  const root = document.documentElement;

  function kept() {
    try { return localStorage.getItem("theme"); } catch { return null; } // storage may be forbidden
  }

  function keep(theme) {
    try { localStorage.setItem("theme", theme); } catch { /* then it lasts as long as the page */ }
  }

  function show(theme) {
    root.dataset.theme = theme;
    const label = `Theme: ${theme}. Change theme`;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.setAttribute("aria-label", label);
      button.title = label;
    }
  }

  const asked = new URLSearchParams(location.search).get("theme");
  const forced = matchMedia("(forced-colors: active)").matches; // then charts are drawn for the ground that the system has
  show(forced ? "auto" : [asked, kept()].find((theme) => THEMES.includes(theme)) ?? "auto");
  addEventListener("DOMContentLoaded", () => show(root.dataset.theme));
  addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    keep(next);
    show(next);
  });
})();
