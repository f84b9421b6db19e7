/* The API's documentation in the colours of the other pages: Swagger UI has a dark side, behind a class. */
(() => {
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");

  function follow() {
    const { theme } = root.dataset;
    root.classList.toggle("dark-mode", theme === "dark" || (theme === "auto" && prefersDark.matches));
  }

  new MutationObserver(follow).observe(root, { attributeFilter: ["data-theme"] });
  prefersDark.addEventListener("change", follow);
  follow();
})();
