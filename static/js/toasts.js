// Toasts go by themselves; whoever points at one, or has it focused, keeps it. The bell keeps what they say.
const SHOWN_MS = 12_000;
const AT_ONCE = 4;
const toasts = document.getElementById("toasts");

function busy(toast) {
  return toast.matches(":hover, :focus-within");
}

function goes(toast) {
  if (busy(toast)) setTimeout(goes, SHOWN_MS, toast);
  else toast.remove();
}

if (toasts) {
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) setTimeout(goes, SHOWN_MS, node);
    while (toasts.children.length > AT_ONCE) toasts.firstElementChild.remove();
  }).observe(toasts, { childList: true });
}
