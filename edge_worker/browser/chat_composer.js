// Where a question is written: a field that grows, what is left of its length, and a button that sends or stops.
import { left } from "./conversation.js";
import { h, icon, say, set } from "./dom.js";

const NEAR = 200; // characters left from which on they are told

export class Composer {
  #t;
  #does;
  #is = { running: false, full: false, offline: false };
  #field;
  #button;
  #left = h("p", { class: "chat-left", id: "chat-left" });

  /** @param does {send(text), stop()} */
  constructor(t, does) {
    this.#t = t;
    this.#does = does;
    this.#field = h("textarea", {
      id: "chat-field", rows: 1, placeholder: t("chat_placeholder"), "aria-describedby": "chat-left", enterkeyhint: "send", autocomplete: "off",
      oninput: () => this.#render(), onkeydown: (event) => this.#key(event),
    });
    this.#button = h("button", { type: "submit", class: "chat-send" });
    this.element = h(
      "form", { class: "chat-form", onsubmit: (event) => this.#submit(event) },
      h("label", { class: "vh", for: "chat-field" }, t("chat_label")),
      h("div", { class: "chat-form__row" }, this.#field, this.#button), this.#left,
    );
    this.#render();
  }

  get isAllowed() {
    return !this.#is.offline;
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  sent() {
    this.#field.value = "";
    this.#render();
  }

  /** @param changes of {running, full, offline} */
  allow(changes) {
    Object.assign(this.#is, changes);
    this.#render();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!this.#is.running) this.element.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    if (this.#is.running) return this.#does.stop();
    const text = this.#field.value.trim();
    if (this.#can(text)) this.#does.send(text);
    return undefined;
  }

  #can(text) {
    return text && left(text) >= 0 && !this.#is.full && !this.#is.offline;
  }

  #render() {
    const { running, full } = this.#is;
    const rest = left(this.#field.value);
    this.element.hidden = full && !running;
    set(this.#field, "aria-invalid", rest < 0 ? "true" : null);
    say(this.#left, rest >= NEAR ? "" : rest < 0 ? this.#t("chat_too_long", { count: -rest }) : this.#t("chat_left", { count: rest }));
    const label = this.#t(running ? "chat_stop" : "chat_send");
    if (this.#button.getAttribute("aria-label") !== label) {
      set(this.#button, "aria-label", label);
      this.#button.replaceChildren(icon(running ? "stop" : "send"));
    }
    set(this.#button, "aria-disabled", !running && !this.#can(this.#field.value.trim()) ? "true" : null);
    this.#field.style.height = "auto";
    if (this.#field.value) this.#field.style.height = `${Math.min(this.#field.scrollHeight + 2, 160)}px`;
    else this.#field.style.height = "";
  }
}
