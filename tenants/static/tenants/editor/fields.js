// A form that the server made from field declarations: filled from values, read back into values.
import { mountPicture } from "./pictures.js";
import { mountProducts, readProducts } from "./products.js";
import { find, newId } from "./dom.js";

const own = (root) => [...root.querySelectorAll("[data-field]")].filter((field) => field.parentElement.closest("[data-field], [data-form-root]") === root.closest("[data-field], [data-form-root]"));

// `values` by field name; `changed` is called after each change.
export function mount(root, values, changed) {
  root.dataset.formRoot = "";
  for (const field of own(root)) {
    label(field);
    const kind = field.dataset.input;
    (mounts[kind] ?? mountPlain)(field, values[field.dataset.field], () => {
      field.dataset.touched = "";
      changed();
    });
  }
}

export function read(root) {
  return Object.fromEntries(own(root).map((field) => [field.dataset.field, (reads[field.dataset.input] ?? readPlain)(field)]));
}

// `problems` by path below this form; shown where the merchant has been, or everywhere once publishing was tried.
export function showProblems(root, problems, everywhere) {
  for (const field of own(root)) {
    const text = problems[field.dataset.field] ?? "";
    const line = field.querySelector(":scope > .ed-problem");
    const shown = Boolean(text) && (everywhere || "touched" in field.dataset);
    line.hidden = !shown;
    if (line.textContent !== (shown ? text : "")) line.textContent = shown ? text : "";
    const input = field.querySelector("[data-value], trix-editor");
    if (field.dataset.input !== "items") input?.setAttribute("aria-invalid", shown ? "true" : "false");
    else rows(field).forEach((row, number) => showProblems(find("row-fields", row) ?? row.firstElementChild, below(problems, `${field.dataset.field}.${number}.`), everywhere));
  }
}

export const below = (problems, prefix) => Object.fromEntries(
  Object.entries(problems).filter(([path]) => path.startsWith(prefix)).map(([path, text]) => [path.slice(prefix.length), text]),
);

function label(field) {
  const input = field.querySelector("[data-value]:not([type=hidden]), trix-editor, [data-search]");
  if (!input || field.dataset.input === "items") return;
  input.id = newId();
  const text = field.querySelector("label");
  if (text && text.htmlFor !== undefined) text.htmlFor = input.id;
  const notes = [field.querySelector(".ed-help"), field.querySelector(".ed-problem")].filter(Boolean);
  for (const note of notes) note.id ||= newId();
  input.setAttribute("aria-describedby", notes.map((note) => note.id).join(" "));
}

function mountPlain(field, value, changed) {
  const input = find("value", field);
  input.value = value ?? "";
  input.addEventListener("input", changed);
}
const readPlain = (field) => find("value", field).value;

function mountFlag(field, value, changed) {
  const input = find("value", field);
  input.checked = Boolean(value);
  input.addEventListener("change", changed);
}

function mountColour(field, value, changed) {
  const picker = find("value", field), hex = find("hex", field);
  picker.value = hex.value = value;
  picker.addEventListener("input", () => { hex.value = picker.value; changed(); });
  hex.addEventListener("input", () => {
    if (/^#[0-9a-f]{6}$/i.test(hex.value)) { picker.value = hex.value.toLowerCase(); changed(); }
  });
}

function mountRich(field, value, changed) {
  const hidden = find("value", field), editor = field.querySelector("trix-editor");
  hidden.id = newId();
  hidden.value = value ?? "";
  editor.setAttribute("input", hidden.id);
  let before = null;
  editor.addEventListener("trix-initialize", () => { before = hidden.value; });
  editor.addEventListener("trix-change", () => {
    if (before === null || hidden.value === before) return; // Trix reads what it was given: no change yet
    before = hidden.value;
    changed();
  });
}

const rows = (field) => [...find("rows", field).children];

function mountItems(field, values, changed) {
  const list = find("rows", field), add = find("add-row", field), most = Number(field.dataset.maximum);
  const template = field.querySelector(":scope > template");
  const refresh = () => {
    add.disabled = list.children.length >= most;
    rows(field).forEach((row, number) => { row.setAttribute("aria-label", `Number ${number + 1}`); });
  };
  const addRow = (row = {}) => {
    const item = template.content.firstElementChild.cloneNode(true);
    const form = item.firstElementChild;
    form.dataset.rowFields = "";
    list.append(item);
    mount(form, row, changed);
    find("row-up", item).addEventListener("click", () => move(item, item.previousElementSibling, true));
    find("row-down", item).addEventListener("click", () => move(item, item.nextElementSibling, false));
    find("row-remove", item).addEventListener("click", () => { item.remove(); refresh(); add.focus(); changed(); });
    return item;
  };
  const move = (item, other, before) => {
    if (!other) return;
    if (before) other.before(item); else other.after(item);
    refresh();
    changed();
  };
  for (const row of values ?? []) addRow(row);
  refresh();
  add.addEventListener("click", () => {
    const item = addRow();
    refresh();
    changed();
    item.querySelector("input, textarea")?.focus();
  });
}

const mounts = {
  flag: mountFlag, colour: mountColour, rich: mountRich, items: mountItems, products: mountProducts,
  image: (field, value, changed) => { mountPlain(field, value, changed); mountPicture(field, changed); },
};
const reads = {
  flag: (field) => find("value", field).checked,
  integer: (field) => { const number = find("value", field).valueAsNumber; return Number.isInteger(number) ? number : null; },
  items: (field) => rows(field).map((row) => read(row.firstElementChild)),
  products: readProducts,
};
