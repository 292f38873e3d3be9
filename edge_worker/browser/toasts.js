// Short notes at the foot of the page; one at a time is enough. Said politely to screen readers.
import { h, icon } from "./dom.js";

const SHOWN_MS = 6000;

export class Toasts {
  #region = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
  #t;
  #timer;

  constructor(t) {
    this.#t = t;
    document.body.append(this.#region);
  }

  /** @param {{label: string, run: () => void}} [action] such as an undo */
  show(text, action) {
    this.#move();
    const dismiss = () => this.#hide();
    const toast = h(
      "div",
      { class: "toast" },
      h("p", {}, text),
      action && h("button", { type: "button", class: "toast__action", onclick: () => (dismiss(), action.run()) }, action.label),
      h("button", { type: "button", class: "icon-button", "aria-label": this.#t("close"), onclick: dismiss }, icon("close")),
    );
    this.#region.replaceChildren(toast);
    this.#wait(toast);
  }

  // A modal dialog makes all that is outside of it inert, so the notes go with the foremost one.
  #move() {
    const dialogs = document.querySelectorAll("dialog[open]");
    const dialog = dialogs[dialogs.length - 1];
    const host = dialog?.querySelector("footer") ?? dialog ?? document.body;
    if (this.#region.parentElement !== host) host.append(this.#region);
  }

  #wait(toast) {
    clearTimeout(this.#timer);
    // Whoever points at it, or has come to it by keyboard, is still reading.
    const busy = () => toast.matches(":hover, :focus-within");
    this.#timer = setTimeout(() => (busy() ? this.#wait(toast) : this.#hide()), SHOWN_MS);
  }

  #hide() {
    clearTimeout(this.#timer);
    this.#region.replaceChildren();
  }
}
