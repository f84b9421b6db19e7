// Whether text is cut or covered: the boxes of all text in `root` against what clips them, against each other and, in the
// end, against the root. Returns a list of sentences. Text that is out of sight as a whole counts as left out, not as cut;
// so does what can be scrolled to by the keyboard.
(root) => {
  const TOLERANCE = 1.5;
  const faults = [];
  const edge = root.getBoundingClientRect();

  const within = (inner, outer) =>
    inner.left >= outer.left - TOLERANCE && inner.right <= outer.right + TOLERANCE &&
    inner.top >= outer.top - TOLERANCE && inner.bottom <= outer.bottom + TOLERANCE;
  const common = (a, b) => ({
    left: Math.max(a.left, b.left), right: Math.min(a.right, b.right),
    top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom),
  });
  const empty = (a) => a.right - a.left <= TOLERANCE || a.bottom - a.top <= TOLERANCE;

  // For those who listen only, and what is there to take up room only.
  const unseen = (element) => {
    const style = getComputedStyle(element);
    return style.visibility === "hidden" || (style.clipPath !== "none" && style.position === "absolute");
  };

  function seen(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    let boxes = [...range.getClientRects()].map(({ left, right, top, bottom }) => ({ left, right, top, bottom }));
    let mayEnd = false;
    let cut = false;
    for (let up = node.parentElement; up && boxes.length; up = up === root ? null : up.parentElement) {
      if (unseen(up)) return { boxes: [], cut: false };
      const style = getComputedStyle(up);
      mayEnd ||= style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
      mayEnd ||= style.overflowY === "auto" && up.tabIndex === 0;
      if (style.overflowX === "visible" || up instanceof SVGElement) continue;
      const clip = up.getBoundingClientRect();
      boxes = boxes.filter((box) => !empty(common(box, clip)));
      const whole = boxes.every((box) => within(box, clip));
      cut ||= !whole && !mayEnd;
      boxes = boxes.map((box) => common(box, clip));
    }
    return { boxes, cut };
  }

  const texts = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const text = node.data.trim();
    if (!text) continue;
    const { boxes, cut } = seen(node);
    if (cut) faults.push(`“${text}” is cut`);
    for (const box of boxes) {
      if (!within(box, edge)) faults.push(`“${text}” leaves its tile`);
      texts.push({ node, text, box });
    }
  }
  texts.forEach((one, index) => {
    for (const other of texts.slice(index + 1)) {
      if (one.node !== other.node && !empty(common(one.box, other.box))) faults.push(`“${one.text}” and “${other.text}” overlap`);
    }
  });
  return [...new Set(faults)];
}
