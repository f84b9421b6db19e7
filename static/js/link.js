// The way in by a link: its secret stands behind the # of the address, which browsers send to nobody. It is exchanged
// for a cookie, and leaves the address.

const state = document.getElementById("state");
const UNREACHED = "The server does not answer. Trying again.";
const AGAIN_MS = 4000;

async function enter(secret) {
  const framed = window.top === window ? "" : "1";
  const answer = await fetch(location.pathname, { method: "POST", body: new URLSearchParams({ secret, framed }) }).catch(() => null);
  if (!answer || answer.status >= 500) {
    state.textContent = UNREACHED;
    setTimeout(enter, AGAIN_MS * (1 + Math.random()), secret);
    return;
  }
  const { path, detail } = await answer.json().catch(() => ({}));
  if (path) location.replace(path);
  else state.textContent = detail ?? UNREACHED;
}

const secret = location.hash.slice(1);
if (secret) {
  history.replaceState(null, "", location.pathname);
  enter(secret);
} else {
  state.textContent = "The address is not whole: what stands behind the # is missing.";
}
