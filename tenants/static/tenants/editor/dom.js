// Small things that every part of the editor does.
export const find = (name, root = document) => root.querySelector(`[data-${name}]`);

let count = 0;
export const newId = () => `ed-${(count += 1)}`;

export function say(text) {
  find("said").textContent = text;
}

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function icon(name) {
  const glyph = make("span", { className: "material-symbols-outlined", textContent: name });
  glyph.setAttribute("aria-hidden", "true");
  return glyph;
}

export function iconButton(name, label) {
  const button = make("button", { type: "button", className: "ed-icon" }, icon(name));
  button.setAttribute("aria-label", label);
  return button;
}

export function later(wait, work) {
  let timer;
  const run = () => { clearTimeout(timer); timer = setTimeout(work, wait); };
  run.now = () => { clearTimeout(timer); return work(); };
  return run;
}

export function openDialog(name) {
  const dialog = document.querySelector(`[data-dialog="${name}"]`);
  if (!dialog.open) dialog.showModal();
  return dialog;
}

for (const dialog of document.querySelectorAll("[data-dialog]")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && dialog.dataset.dialog !== "conflict") dialog.close();
    if (event.target.closest("[data-close]")) dialog.close();
  });
  if (dialog.dataset.dialog === "conflict") dialog.addEventListener("cancel", (event) => event.preventDefault());
}
