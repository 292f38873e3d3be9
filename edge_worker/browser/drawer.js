// The cart at the side of every page. A modal <dialog>: the browser keeps the focus in it and gives it back.
import { h, icon } from "./dom.js";

export class Drawer {
  #view;
  #title = h("h2", { id: "drawer-title", tabindex: -1 });

  /** @param {{view: object, t: Function, parts: {top: Element[], foot: Element[]}}} given */
  constructor({ view, t, top, foot }) {
    this.#view = view;
    this.#title.append(t("cart"));
    const close = h("button", { type: "button", class: "icon-button", "aria-label": t("close"), onclick: () => this.close() }, icon("close"));
    const header = h("header", { class: "drawer__head" }, this.#title, close);
    const buttons = h(
      "p",
      { class: "drawer__buttons" },
      h("a", { class: "button", href: "/cart" }, t("view_cart")),
    );
    const body = h("div", { class: "drawer__body" }, ...top, view.lines);
    this.dialog = h(
      "dialog",
      { class: "drawer", "aria-labelledby": "drawer-title" },
      header, body, h("footer", { class: "drawer__foot" }, view.summary, buttons, ...foot),
    );
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.close());
    document.body.append(this.dialog);
  }

  open() {
    if (this.dialog.open) return;
    this.#view.render();
    this.dialog.showModal();
    this.#title.focus({ focusVisible: false });
  }

  close() {
    this.dialog.close();
  }
}
