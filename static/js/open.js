// Titles lead to their widget alone, over the range, the moment and the variables that this page shows.

function lead(event) {
  const link = event.target.closest?.(".widget h2 a");
  if (link) link.search = location.search;
}

for (const kind of ["click", "pointerdown"]) document.addEventListener(kind, lead, { capture: true, passive: true });
