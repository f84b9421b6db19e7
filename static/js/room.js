// A room: Enter sends, the newest message stays in view for whoever was there, and what failed is sent again as the same.
const log = document.getElementById("log");
const form = document.querySelector("[data-say]");

function isAtEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

let follows = true;
log.scrollTop = log.scrollHeight;
log.addEventListener("scroll", () => (follows = isAtEnd()));
new MutationObserver(() => {
  if (follows) log.scrollTop = log.scrollHeight;
}).observe(log, { childList: true });

if (form) {
  const text = form.elements.text;
  let clientId = crypto.randomUUID?.() ?? String(Math.random());
  const said = document.createElement("span");
  said.className = "field-error";
  said.setAttribute("role", "alert");
  form.append(said);

  async function send() {
    const body = new FormData(form);
    body.set("client_id", clientId);
    said.textContent = "";
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
      if (answer.type === "opaqueredirect") {
        text.value = "";
        clientId = crypto.randomUUID?.() ?? String(Math.random());
        follows = true;
      } else if (answer.status === 422) {
        said.textContent = "A message has 1 to 4000 characters.";
      } else {
        said.textContent = `The server answered ${answer.status}; nothing was sent. Try again.`;
      }
    } catch {
      said.textContent = "The server does not answer; nothing was sent. Try again.";
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (text.value.trim()) send();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}
