// One question and its answer on screen.
import { cards } from "./chat_card.js";
import { parts, within } from "./citations.js";
import { h, icon, say, set } from "./dom.js";

const WITH_CONTACT = new Set(["no_passage", "refused", "over_budget", "model_down", "search_only"]);

export class TurnView {
  #shop;
  #turn;
  #contact;
  #worth;
  #drawn = false;
  #isLast = false;
  #text = h("div", { class: "chat-answer__text" });
  #products = h("div");
  #foot = h("div", { class: "chat-answer__foot" });

  /**
   * @param does {retry, rate, ask}: what its buttons do, each with this turn
   * @param worth "page" for a turn of this page, "old" for one that was kept
   */
  constructor(turn, { shop, contact, does, worth }) {
    Object.assign(this, { does });
    this.#shop = shop;
    this.#turn = turn;
    this.#contact = contact;
    this.#worth = worth;
    const { t } = shop;
    this.element = h(
      "li",
      { class: "chat-turn" },
      h("div", { class: "chat-question" }, h("span", { class: "vh" }, `${t("chat_you")}: `), turn.question),
      h("div", { class: "chat-answer" }, h("span", { class: "vh" }, `${t("chat_assistant")}: `), this.#text, this.#products, this.#foot),
    );
    this.render();
  }

  /** Shows what the turn has become; many times a second while it is being told. */
  render() {
    const { answer, sources, state, products } = this.#turn;
    set(this.element, "data-state", state);
    if (answer) this.#text.replaceChildren(...parts(answer, sources).map((part) => (typeof part === "string" ? part : this.#cite(part))));
    else this.#text.replaceChildren(...(state === "asked" ? [this.#waiting()] : []));
    if (products.length && !this.#drawn) {
      this.#drawn = true;
      this.#products.replaceChildren(cards(products, this.#shop, this.#worth));
    }
    if (state !== "asked") this.renderFoot();
  }

  /** The last turn of a conversation that may go on also offers what could be asked next. */
  renderFoot({ last = this.#isLast } = {}) {
    this.#isLast = last;
    const held = this.#foot.contains(document.activeElement) ? document.activeElement.dataset.name : "";
    const { state, followUps } = this.#turn;
    this.#foot.replaceChildren(...[
      this.#sources(), this.#note(), this.#reach(), this.#turn.turn && state === "done" && this.#rating(),
      last && state === "done" && followUps.length > 0 && this.#followUps(),
    ].filter(Boolean));
    if (held) this.#foot.querySelector(`[data-name="${held}"]`)?.focus();
  }

  #waiting() {
    return h("span", { class: "chat-dots" }, h("span", { class: "vh" }, this.#shop.t("chat_answering")), h("i"), h("i"), h("i"));
  }

  #cite(source) {
    const href = within(source.url, location.origin);
    const label = this.#shop.t("chat_source", { count: source.n, title: source.title });
    return h(href ? "a" : "span", { class: "chat-cite", href: href || null, title: source.title }, h("span", { class: "vh" }, label), h("span", { "aria-hidden": "true" }, String(source.n)));
  }

  #sources() {
    const { answer, sources, products } = this.#turn;
    const onCards = new Set(products.map(({ slug }) => `/products/${slug}`));
    const cited = [...new Set(parts(answer, sources).filter((part) => typeof part !== "string" && !onCards.has(part.url)))];
    if (!cited.length || this.#turn.state === "failed") return null;
    const row = (source) => {
      const href = within(source.url, location.origin);
      return h("li", {}, h(href ? "a" : "span", { class: "chat-source", href: href || null }, h("b", {}, String(source.n)), h("span", {}, source.title)));
    };
    return h("ul", { class: "chat-sources", role: "list", "aria-label": this.#shop.t("chat_sources") }, ...cited.map(row));
  }

  #note() {
    const { t } = this.#shop;
    const { state, error, reason, question } = this.#turn;
    const retry = () => h("button", { type: "button", class: "chat-small", "data-name": "retry", onclick: () => this.does.retry(this.#turn) }, icon("again"), t("chat_retry"));
    if (state === "failed") return h("div", { class: "chat-note chat-note--error" }, h("p", {}, t(`chat_error_${error}`)), error !== "too_many_turns" && error !== "chat_off" && retry());
    if (state === "stopped") return h("div", { class: "chat-note" }, h("p", {}, t("chat_stopped")), retry());
    if (reason !== "over_budget" && reason !== "search_only" && reason !== "model_down") return null;
    const all = h("a", { class: "chat-small", href: `/search?q=${encodeURIComponent(question.slice(0, 200))}` }, icon("arrow"), t("chat_all_results"));
    return h("div", { class: "chat-note" }, h("p", {}, t(`chat_reason_${reason}`)), all);
  }

  #reach() {
    const { state, reason } = this.#turn;
    return WITH_CONTACT.has(reason) || state === "failed" ? contactLinks(this.#contact, this.#shop.t) : null;
  }

  #rating() {
    const { t } = this.#shop;
    const button = (value, name, label) =>
      h("button", { type: "button", class: "chat-thumb", "data-name": name, "aria-label": label, "aria-pressed": String(this.#turn.rating === value), onclick: () => this.does.rate(this.#turn, value) }, icon(name));
    const thanks = h("span", { class: "chat-thanks", role: "status" });
    if (this.#turn.rating) say(thanks, t("chat_thanks"));
    return h("div", { class: "chat-rating", role: "group", "aria-label": t("chat_rate") }, button(1, "up", t("chat_up")), button(-1, "down", t("chat_down")), thanks);
  }

  #followUps() {
    return questions(this.#turn.followUps, this.#shop.t("chat_follow_ups"), this.does.ask);
  }
}

/** Questions to choose from. */
export function questions(texts, label, choose) {
  const button = (text) => h("li", {}, h("button", { type: "button", class: "chat-chip", onclick: () => choose(text) }, text));
  return h("ul", { class: "chat-chips", role: "list", "aria-label": label }, ...texts.map(button));
}

/** How to reach people, or null where the shop has not said. */
export function contactLinks({ email, phone, url }, t) {
  const links = [
    email && h("a", { href: `mailto:${encodeURI(email)}` }, email),
    phone && h("a", { href: `tel:${phone.replace(/[^\d+]/g, "")}` }, phone),
    url && h("a", { href: url }, t("chat_contact_page")),
  ].filter(Boolean);
  return links.length ? h("p", { class: "chat-contact" }, h("span", {}, t("chat_people")), ...links) : null;
}
