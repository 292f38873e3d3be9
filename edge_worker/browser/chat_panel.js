// The chat's panel: beside the page where there is room, over all of it on a phone. It is no modal dialog, so that the
// page stays in use; on a phone what it covers is inert.
import { AskError, ask, rate } from "./ask.js";
import { Composer } from "./chat_composer.js";
import { TurnView, contactLinks, questions } from "./chat_turn.js";
import { spoken } from "./citations.js";
import { Conversation } from "./conversation.js";
import { h, icon, say } from "./dom.js";

const PHONE = matchMedia("(max-width: 40rem)");

export class ChatPanel {
  #shop;
  #page;
  #onClose;
  #conversation;
  #views = new Map();
  #running = null;
  #frame = 0;
  #title;
  #fresh;
  #composer;
  #greeting;
  #log;
  #list = h("ol", { class: "chat-turns", role: "list" });
  #status = h("p", { class: "vh", role: "status" });
  #offline = h("p", { class: "chat-offline", role: "status", hidden: true });
  #full = h("p", { class: "chat-offline", hidden: true });

  constructor(shop, page, onClose) {
    this.#shop = shop;
    this.#page = page;
    this.#onClose = onClose;
    this.#conversation = new Conversation(page.tenant);
    this.#build();
    this.#listen();
    this.#show();
  }

  open({ focus = true } = {}) {
    this.element.hidden = false;
    this.#cover();
    this.#toEnd();
    if (!focus) return;
    // A keyboard that springs up would hide the greeting: on touch screens the title takes the focus.
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus();
    else this.#title.focus({ preventScroll: true });
  }

  close() {
    this.element.hidden = true;
    this.#cover();
    this.#onClose();
  }

  #build() {
    const { t } = this.#shop;
    const button = (name, label, run) => h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: run }, icon(name));
    this.#title = h("h2", { id: "chat-title", tabindex: -1 }, t("chat_title", { shop: this.#page.shop }));
    this.#fresh = button("fresh", t("chat_new"), () => this.#startAnew());
    this.#composer = new Composer(t, { send: (text) => this.#ask(text), stop: () => this.#running?.stop.abort() });
    this.#greeting = h("div", { class: "chat-greeting" });
    this.#log = h("div", { class: "chat-log", tabindex: 0, role: "region", "aria-label": t("chat_log") }, this.#greeting, this.#list);
    this.element = h(
      "section",
      { class: "chat", role: "dialog", "aria-labelledby": "chat-title", "aria-describedby": "chat-about", hidden: true },
      h(
        "header", { class: "chat__head" },
        h("span", { class: "chat__mark", "aria-hidden": "true" }, icon("chat")),
        h("div", { class: "chat__titles" }, this.#title, h("p", { id: "chat-about" }, t("chat_automatic"))),
        this.#fresh, button("close", t("chat_close"), () => this.close()),
      ),
      this.#log,
      h("footer", { class: "chat__foot" }, this.#offline, this.#full, this.#composer.element),
      this.#status,
    );
    say(this.#full, t("chat_error_too_many_turns"));
    document.body.append(this.element);
  }

  #listen() {
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
      event.stopPropagation();
      this.close();
    });
    PHONE.addEventListener("change", () => this.#cover());
    addEventListener("pagehide", () => this.#conversation.save());
    this.#conversation.onOtherTab(() => this.#running || (this.#conversation.load(), this.#show()));
    const connection = (offline) => {
      this.#offline.hidden = !offline;
      say(this.#offline, offline ? this.#shop.t("chat_offline") : "");
      this.#composer.allow({ offline });
    };
    for (const name of ["online", "offline"]) addEventListener(name, () => connection(name === "offline"));
    if (document.documentElement.dataset.savedAt) connection(true);
    // On a phone the keyboard makes less of the page visible, which no style knows.
    visualViewport?.addEventListener("resize", () => this.element.style.setProperty("--seen", `${visualViewport.height}px`));
  }

  #cover() {
    const covers = PHONE.matches && !this.element.hidden;
    document.documentElement.toggleAttribute("data-chat-covers", covers);
    document.documentElement.toggleAttribute("data-chat-open", !this.element.hidden);
    for (const element of document.querySelectorAll("body > header, body > main, body > footer, body > .skip, body > .announcement")) element.inert = covers;
  }

  #show() {
    this.#views.clear();
    this.#list.replaceChildren();
    for (const turn of this.#conversation.turns) this.#view(turn, "old");
    if (this.#conversation.turns.length) this.#list.prepend(this.#earlier());
    this.#settle();
  }

  #earlier() {
    const date = new Date(this.#conversation.turns[0].at).toLocaleString(this.#page.locale, { dateStyle: "medium", timeStyle: "short" });
    return h("li", { class: "chat-earlier" }, this.#shop.t("chat_earlier", { date }));
  }

  #view(turn, worth) {
    const does = {
      retry: (one) => this.#retry(one),
      rate: (one, value) => this.#rate(one, value),
      ask: (text) => this.#ask(text),
    };
    const view = new TurnView(turn, { shop: this.#shop, contact: this.#page.chat.contact, does, worth });
    this.#views.set(turn, view);
    this.#list.append(view.element);
  }

  /** What depends on how many turns there are, and on whether one is under way. */
  #settle() {
    const { turns, isFull } = this.#conversation;
    const last = turns.at(-1);
    for (const [turn, view] of this.#views) if (turn.state !== "asked") view.renderFoot({ last: turn === last && !isFull });
    this.#full.hidden = !isFull || Boolean(this.#running);
    this.#fresh.hidden = !turns.length;
    this.#composer.allow({ running: Boolean(this.#running), full: isFull });
    this.#greet(!turns.length);
  }

  #greet(isFresh) {
    const { t } = this.#shop;
    const { greeting, suggested, contact } = this.#page.chat;
    this.#greeting.replaceChildren(...[
      h("p", { class: "chat-greeting__text" }, greeting || t("chat_greeting", { shop: this.#page.shop })),
      isFresh && suggested.length > 0 && questions(suggested, t("chat_suggested"), (text) => this.#ask(text)),
      isFresh && h("div", { class: "chat-about" }, h("p", {}, t("chat_disclosure")), contactLinks(contact, t)),
    ].filter(Boolean));
  }

  async #ask(text) {
    if (this.#running || this.#conversation.isFull || !this.#composer.isAllowed) return;
    const turn = this.#conversation.begin(text);
    const stop = new AbortController();
    const running = (this.#running = { turn, stop });
    this.#view(turn, "page");
    this.#composer.sent();
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus(); // what was pressed may be gone
    else this.#title.focus({ preventScroll: true });
    this.#settle();
    this.#toTurn();
    say(this.#status, this.#shop.t("chat_answering"));
    try {
      const body = this.#conversation.request(turn, this.#page.locale);
      await ask(body, (name, value) => this.#take(running, name, value), stop.signal);
      if (turn.state === "asked") turn.state = "stopped";
    } catch (error) {
      if (!(error instanceof AskError)) console.error("The chat failed:", error);
      Object.assign(turn, { state: "failed", error: error.code ?? "failed" });
    }
    this.#end(running);
  }

  #take({ turn }, name, value) {
    if (name === "sources") turn.sources = value;
    else if (name === "token") turn.answer += value.text;
    else if (name === "products") turn.products = value;
    else if (name === "done") Object.assign(turn, { state: "done", turn: value.turn, reason: value.reason, followUps: value.follow_ups });
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#redraw(turn);
    });
  }

  #redraw(turn) {
    this.#views.get(turn)?.render();
    if (turn === this.#conversation.turns.at(-1)) this.#toTurn();
  }

  #end({ turn }) {
    this.#running = null;
    if (this.#conversation.turns.includes(turn)) {
      this.#conversation.save();
      this.#redraw(turn);
      this.#tell(turn);
    }
    this.#settle();
    this.#toTurn();
  }

  // The whole answer in one go: a live region that grew by every word would be read again and again.
  #tell({ state, answer, sources, products, error }) {
    const { t } = this.#shop;
    const found = products.length ? t("chat_products", { count: products.length }) : "";
    const said = { failed: () => t(`chat_error_${error}`), stopped: () => t("chat_stopped"), done: () => `${spoken(answer, sources)} ${found}` };
    say(this.#status, said[state]());
  }

  #retry(turn) {
    if (this.#running || !this.#composer.isAllowed) return;
    this.#forget(turn);
    this.#ask(turn.question);
  }

  #forget(turn) {
    this.#views.get(turn)?.element.remove();
    this.#views.delete(turn);
    this.#conversation.drop(turn);
  }

  async #rate(turn, value) {
    const before = turn.rating;
    turn.rating = value;
    this.#settle();
    try {
      await rate(turn.turn, value);
      this.#conversation.save();
    } catch {
      turn.rating = before;
      this.#settle();
      this.#shop.toasts.show(this.#shop.t("chat_error_rating"));
    }
  }

  #startAnew() {
    this.#running?.stop.abort();
    this.#conversation.clear();
    this.#show();
    say(this.#status, this.#shop.t("chat_cleared"));
    this.#composer.focus();
  }

  // The end of what is being told, but never so far down that its question is out of sight.
  #toTurn() {
    const last = this.#list.lastElementChild;
    if (!last) return;
    const end = this.#log.scrollHeight - this.#log.clientHeight;
    this.#log.scrollTop = Math.min(end, last.offsetTop - 16);
  }

  #toEnd() {
    if (this.#list.children.length) this.#toTurn();
  }
}
