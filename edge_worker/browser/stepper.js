// A quantity: a number field between two buttons. The server renders the product page's (macros.html, `stepper`).
import { h, icon, set } from "./dom.js";

/** @param {(quantity: number) => void} change is told every whole number that is picked or typed */
export function stepper({ label, less, more }, change) {
  const element = h(
    "div",
    { class: "stepper", "data-stepper": true },
    h("button", { type: "button", "data-step": -1, "aria-label": less }, icon("minus")),
    h("input", { type: "number", min: 1, step: 1, inputmode: "numeric", "aria-label": label }),
    h("button", { type: "button", "data-step": 1, "aria-label": more }, icon("plus")),
  );
  wire(element, change);
  return element;
}

/** Makes the buttons of a stepper that is already in the page work. */
export function wire(element, change = () => {}) {
  const field = element.querySelector("input");
  element.addEventListener("click", (event) => {
    const step = Number(event.target.closest("[data-step]")?.dataset.step);
    if (!step) return;
    field.value = inside(Number(field.value || 0) + step, field);
    change(Number(field.value));
    refresh(element);
  });
  field.addEventListener("change", () => {
    field.value = inside(Math.floor(Number(field.value)) || 1, field);
    change(Number(field.value));
    refresh(element);
  });
}

/** Shows a quantity and how many there may be; leaves alone what is just being typed. */
export function show(element, quantity, most) {
  const field = element.querySelector("input");
  set(field, "max", Math.max(1, most));
  set(field, "disabled", most === 0);
  if (document.activeElement !== field || !field.matches(":focus-visible")) field.value = quantity;
  else if (Number(field.value) !== quantity && field.dataset.shown !== String(quantity)) field.value = quantity;
  field.dataset.shown = quantity;
  refresh(element);
}

function refresh(element) {
  const field = element.querySelector("input");
  const [less, more] = element.querySelectorAll("button");
  disable(less, field.disabled || Number(field.value) <= Number(field.min), field);
  disable(more, field.disabled || Number(field.value) >= Number(field.max), field);
}

// A button that is switched off under the finger must not drop the keyboard's place in the page.
function disable(button, off, field) {
  if (off && document.activeElement === button) field.focus();
  set(button, "disabled", off);
}

function inside(value, field) {
  return Math.min(Math.max(value, Number(field.min)), Number(field.max || 999));
}
