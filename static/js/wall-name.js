/** What this wall calls itself for as long as it is open: two walls of one person are two that saw something. */
export function wallName() {
  let name = sessionStorage.getItem("viewer");
  if (!name) {
    name = [...crypto.getRandomValues(new Uint8Array(12))].map((one) => one.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("viewer", name);
  }
  return name;
}
