// Files for a message that is being written: chosen, dropped or pasted, and uploaded at once.
const SIGNED_OUT = "You are signed out. Sign in again to send files.";
const NO_ANSWER = "The server does not answer. Try again.";

/** Return a size in bytes as people read it. */
export function sizeOf(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

/** Return why a file can't be sent, "" if it can; `most` is the largest size. */
export function refusal(file, most) {
  if (!file.size) return `${file.name} is empty.`;
  if (file.size > most) return `${file.name} is too large: a file in a room has at most ${sizeOf(most)}.`;
  return "";
}

/** Return the sentence of an answer to an upload that is none of success. */
export function sentence(status, text) {
  if (status === 413 && !text.startsWith("{")) return "This file is too large.";
  try {
    return JSON.parse(text).detail;
  } catch {
    return status === 401 ? SIGNED_OUT : status ? `The server answered ${status}: the file was not taken.` : NO_ANSWER;
  }
}

/** Have `form` take files, also those that are dropped on the room; `say` shows a sentence. */
export function attachments(form, say) {
  const chooser = form.querySelector("[data-files]");
  const list = form.querySelector("[data-attached]");
  const field = form.elements.text;
  const items = new Map(); // li -> {made, request}
  const sent = new Map(); // key -> what the server made of it: for a message that comes back
  const most = Number(chooser?.dataset.most);
  const filesMost = Number(chooser?.dataset.filesMost);

  function changed() {
    list.hidden = !items.size;
    field.required = !items.size;
  }

  function remove(line) {
    const { made, request } = items.get(line);
    request?.abort();
    if (made) fetch(made.url, { method: "DELETE", headers: { "X-CSRFToken": token() } }).catch(() => {});
    items.delete(line);
    line.remove();
    changed();
    field.focus();
  }

  const token = () => form.elements.csrfmiddlewaretoken.value;

  function put(name) {
    const line = document.createElement("li");
    const label = document.createElement("bdi");
    label.textContent = name;
    const away = document.createElement("button");
    Object.assign(away, { type: "button", className: "quiet", textContent: "✕" });
    away.setAttribute("aria-label", `Remove ${name}`);
    away.addEventListener("click", () => remove(line));
    line.append(label, away);
    list.append(line);
    items.set(line, { made: null, request: null });
    changed();
    return line;
  }

  function done(line, made) {
    items.set(line, { made, request: null });
    line.querySelector("progress")?.remove();
    line.querySelector("bdi").textContent = made.name;
    if (made.width) {
      const picture = new Image();
      Object.assign(picture, { src: made.url, alt: "", height: 40 });
      line.prepend(picture);
    }
  }

  function upload(file) {
    const why = refusal(file, most) || (items.size >= filesMost && `A message has at most ${filesMost} files.`);
    if (why) {
      say(why);
      return;
    }
    const line = put(file.name);
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", `Upload of ${file.name}`);
    line.querySelector("bdi").after(bar);
    const request = new XMLHttpRequest();
    items.set(line, { made: null, request });
    request.upload.addEventListener("progress", ({ loaded, total }) => Object.assign(bar, { max: total, value: loaded }));
    request.addEventListener("loadend", () => {
      if (!items.has(line)) return;
      if (request.status === 201) {
        done(line, JSON.parse(request.responseText));
        return;
      }
      items.delete(line);
      line.remove();
      changed();
      say(`${file.name}: ${sentence(request.status, request.responseText)}`);
    });
    request.open("POST", chooser.dataset.files);
    request.setRequestHeader("X-CSRFToken", token());
    const body = new FormData();
    body.set("file", file);
    request.send(body);
  }

  function take(files) {
    say("");
    for (const file of files) upload(file);
  }

  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

  if (chooser) {
    form.querySelector("[data-clip]").addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", () => {
      take(chooser.files);
      chooser.value = "";
      field.focus();
    });
    field.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      take(event.clipboardData.files);
    });
    const place = form.closest(".talk");
    for (const name of ["dragenter", "dragover"]) {
      place.addEventListener(name, (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        place.classList.add("drops");
      });
    }
    place.addEventListener("dragleave", (event) => {
      if (!place.contains(event.relatedTarget)) place.classList.remove("drops");
    });
    place.addEventListener("drop", (event) => {
      place.classList.remove("drops");
      if (!hasFiles(event)) return;
      event.preventDefault();
      take(event.dataTransfer.files);
    });
  }

  return {
    /** Whether a file is still on its way to the server. */
    get isBusy() { return [...items.values()].some((one) => one.request); },

    /** Whether there is a file to send. */
    get hasAny() { return items.size > 0; },

    /** Return the files as a field of a message, which then has them. */
    taken() {
      if (!items.size) return {};
      const all = [...items.values()].map((one) => one.made);
      for (const made of all) sent.set(made.key, made);
      items.clear();
      list.replaceChildren();
      changed();
      return { files: all.map((made) => made.key) };
    },

    /** Show the files of a message again that was refused. */
    putBack(keys = []) {
      for (const key of keys) if (sent.has(key)) done(put(sent.get(key).name), sent.get(key));
    },
  };
}
