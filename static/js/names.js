// Fields of several names, separated by commas: the list of suggestions is that of the name that is typed last.
for (const field of document.querySelectorAll("input[data-names]")) {
  const all = [...field.list.options].map((option) => option.value);
  const own = document.createElement("datalist");
  own.id = `${field.id}-names`;
  field.after(own);
  field.setAttribute("list", own.id);

  const suggest = () => {
    const before = field.value.slice(0, field.value.lastIndexOf(",") + 1);
    const chosen = new Set(before.split(",").map((name) => name.trim()));
    own.replaceChildren(...all.filter((name) => !chosen.has(name)).map((name) => new Option("", before ? `${before} ${name}` : name)));
  };
  field.addEventListener("input", suggest);
  suggest();
}
