// The sections as cards: open, move, hide, duplicate, delete and bring back.
import { below, mount, read, showProblems } from "./fields.js";
import { find, say } from "./dom.js";

const list = find("cards"), template = document.querySelector("[data-card-template]");
const forms = new Map([...document.querySelectorAll("[data-form]")].map((form) => [form.dataset.form, form]));
const labels = new Map([...document.querySelectorAll("[data-dialog=picker] [data-kind]")].map((button) => [button.dataset.kind, button.querySelector("strong").textContent]));
const sections = new Map(); // by card: the section as it was last read

let onChange = () => {}, onOpen = () => {};
const cards = () => [...list.children];
const nameOf = (section) => labels.get(section.kind) ?? section.kind;
const wordsOf = (section) => section.heading || section.text || section.eyebrow || "";

export function listen(changed, opened) { onChange = changed; onOpen = opened; }

export function show(all) {
  for (const card of cards()) sections.delete(card);
  list.replaceChildren();
  for (const section of all) list.append(build(section));
  refresh();
}

export const readAll = () => cards().map((card) => sections.get(card));

export function add(section, after = null) {
  const card = build(section);
  if (after?.isConnected) after.after(card); else list.append(card);
  refresh();
  open(card);
  onChange();
  return card;
}

export const opened = () => cards().find((card) => !find("body", card).hidden) ?? null;

export function openById(id) {
  const card = cards().find((one) => sections.get(one).id === id);
  if (card) { open(card); card.scrollIntoView({ block: "nearest" }); find("toggle", card).focus({ preventScroll: true }); }
}

export function problems(all, everywhere) {
  for (const card of cards()) {
    const mine = below(all, `sections.${sections.get(card).id}.`);
    find("incomplete", card).hidden = !Object.keys(mine).length;
    const form = find("form-root", card);
    if (form) showProblems(form, mine, everywhere);
  }
}

function build(section) {
  const card = template.content.firstElementChild.cloneNode(true);
  sections.set(card, section);
  find("toggle", card).addEventListener("click", () => { if (find("body", card).hidden) open(card); else close(card); });
  find("hide", card).addEventListener("click", () => {
    const now = { ...sections.get(card), hidden: !sections.get(card).hidden };
    sections.set(card, now);
    say(`${nameOf(now)} ${now.hidden ? "hidden" : "shown"}`);
    refresh();
    onChange();
  });
  find("duplicate", card).addEventListener("click", () => {
    const copy = { ...structuredClone(sections.get(card)), id: crypto.randomUUID() };
    say(`${nameOf(copy)} duplicated`);
    add(copy, card);
  });
  find("delete", card).addEventListener("click", () => remove(card));
  movable(card);
  return card;
}

function open(card) {
  for (const other of cards()) if (other !== card) close(other);
  const body = find("body", card);
  if (!body.firstElementChild) {
    const form = forms.get(sections.get(card).kind).content.firstElementChild.cloneNode(true);
    mount(form, sections.get(card), () => {
      sections.set(card, { ...sections.get(card), ...read(form) });
      refresh(card);
      onChange();
    });
    body.append(form); // filled first: Trix reads its text when it enters the page
    if (document.querySelector("[data-readonly]")) for (const input of form.querySelectorAll("input, textarea, select, button")) input.disabled = true;
  }
  body.hidden = false;
  find("toggle", card).setAttribute("aria-expanded", "true");
  onOpen(sections.get(card).id);
}

function close(card) {
  find("body", card).hidden = true;
  find("toggle", card).setAttribute("aria-expanded", "false");
}

function refresh(only = null) {
  for (const card of only ? [only] : cards()) {
    const section = sections.get(card), name = nameOf(section);
    find("kind", card).textContent = name;
    find("summary", card).textContent = wordsOf(section);
    card.toggleAttribute("data-hidden", Boolean(section.hidden));
    const hide = find("hide", card);
    hide.setAttribute("aria-pressed", String(Boolean(section.hidden)));
    hide.firstElementChild.textContent = section.hidden ? "visibility_off" : "visibility";
    for (const [button, verb] of [["handle", "Move"], ["hide", "Hide"], ["duplicate", "Duplicate"], ["delete", "Delete"]]) find(button, card).setAttribute("aria-label", `${verb} ${name}`);
  }
  find("empty").hidden = cards().length > 0;
}

// Deleting, and bringing back what was deleted.
const removed = [];
const toast = find("toast");
let hiding;

function remove(card) {
  const section = sections.get(card), place = cards().indexOf(card);
  removed.push({ section, place });
  const next = card.nextElementSibling ?? card.previousElementSibling;
  card.remove();
  sections.delete(card);
  refresh();
  onChange();
  find("toast-text").textContent = `${nameOf(section)} deleted.`;
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { toast.hidden = true; }, 20000);
  (next ? find("toggle", next) : find("undo")).focus();
}

export function undo() {
  const last = removed.pop();
  if (!last) return false;
  const card = build(last.section);
  const before = cards()[last.place];
  if (before) before.before(card); else list.append(card);
  refresh();
  onChange();
  toast.hidden = !removed.length;
  find("toggle", card).focus();
  say(`${nameOf(last.section)} is back`);
  return true;
}

find("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, trix-editor, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey && !typing && undo()) event.preventDefault();
});

// Moving: arrow keys on the handle, or the handle dragged by mouse, pen or finger.
function movable(card) {
  const handle = find("handle", card);
  const moved = () => {
    say(`${nameOf(sections.get(card))} is now number ${cards().indexOf(card) + 1} of ${cards().length}`);
    onChange();
  };
  handle.addEventListener("keydown", (event) => {
    const other = { ArrowUp: card.previousElementSibling, ArrowDown: card.nextElementSibling }[event.key];
    if (!["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    if (!other) return;
    if (event.key === "ArrowUp") other.before(card); else other.after(card);
    handle.focus();
    moved();
  });
  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || document.querySelector("[data-readonly]")) return;
    event.preventDefault();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    const before = cards().indexOf(card);
    card.dataset.dragged = "";
    const drag = ({ clientY }) => {
      const rest = cards().filter((other) => other !== card);
      const next = rest.find((other) => { const box = other.getBoundingClientRect(); return clientY < box.top + box.height / 2; });
      if (next ? next.previousElementSibling !== card : list.lastElementChild !== card) {
        if (next) next.before(card); else list.append(card);
        handle.setPointerCapture(event.pointerId);
      }
    };
    const drop = () => {
      handle.removeEventListener("pointermove", drag);
      delete card.dataset.dragged;
      if (cards().indexOf(card) !== before) moved();
    };
    handle.addEventListener("pointermove", drag);
    handle.addEventListener("lostpointercapture", (lost) => { if (!card.hasAttribute("data-dragged") || !handle.hasPointerCapture(lost.pointerId)) drop(); }, { once: true });
  });
}
