// A cart on screen: its lines, what is to be said of them, and the total. Used by the drawer and by the cart's page.
import { h, icon, safeImage, say, set } from "./dom.js";
import { describe, limit, totals } from "./lines.js";
import { flash } from "./shelf.js";
import { show, stepper } from "./stepper.js";

export class CartView {
  #shop;
  #rows = new Map();
  #list = h("ul", { class: "lines", role: "list" });
  #empty = h("div", { class: "cart-empty" });
  #total = h("span", { class: "total__amount" });
  #spoken = h("p", { class: "vh", "aria-live": "polite", "aria-atomic": "true" });
  #hint = h("p", { class: "total__hint" });

  /** @param shop {cart, products, t, money, toasts} */
  constructor(shop) {
    this.#shop = shop;
    const { t } = shop;
    this.#empty.append(icon("bag"), h("p", { class: "cart-empty__head" }), h("p", {}, t("cart_empty_text")));
    this.lines = h("div", {}, this.#list, this.#empty);
    const row = h("p", { class: "total" }, h("span", {}, t("total")), this.#total);
    this.summary = h("div", {}, row, this.#hint, this.#spoken);
  }

  render() {
    const { cart, products, t, money } = this.#shop;
    const described = describe(cart.lines, products.find, cart.remembered);
    this.#renderRows(described);
    this.#empty.hidden = described.length > 0;
    this.summary.hidden = !described.length;
    say(this.#empty.querySelector(".cart-empty__head"), t(cart.state.joined ? "shared_cart_empty" : "cart_empty"));
    const amounts = [...totals(described)].map(([currency, amount]) => money(amount, currency));
    const amount = amounts.join(" + ") || "–";
    const count = described.reduce((sum, line) => sum + (line.amount ? line.quantity : 0), 0);
    if (this.#total.textContent && this.#total.textContent !== amount) flash(this.#total);
    say(this.#total, amount);
    say(this.#spoken, t("total_now", { amount, count }));
    const remembered = described.some(({ product, state }) => product && !["live", "page", "gone"].includes(state));
    say(this.#hint, remembered ? t("total_remembered") : "");
    this.#hint.hidden = !remembered;
  }

  #renderRows(described) {
    for (const [id, row] of this.#rows) {
      if (described.some((line) => line.id === id)) continue;
      this.#moveFocus(row.element);
      row.element.remove();
      this.#rows.delete(id);
    }
    described.forEach((line, index) => {
      if (!this.#rows.has(line.id)) this.#rows.set(line.id, new Row(line.id, this.#shop));
      const row = this.#rows.get(line.id);
      if (this.#list.children[index] !== row.element) this.#list.insertBefore(row.element, this.#list.children[index] ?? null);
      row.render(line);
    });
  }

  // Who removes a line by keyboard stands at the next one after it, or at the top.
  #moveFocus(element) {
    if (!element.contains(document.activeElement)) return;
    const next = element.nextElementSibling ?? element.previousElementSibling;
    const target = next?.querySelector(".line__remove") ?? element.closest("dialog, main")?.querySelector("button, h1, [tabindex]");
    target?.focus();
  }
}

class Row {
  #id;
  #shop;
  #title = h("a", { class: "line__title" });
  #media = h("a", { class: "line__media", tabindex: -1, "aria-hidden": "true" });
  #each = h("p", { class: "line__each" });
  #amount = h("p", { class: "line__amount" });
  #note = h("p", { class: "line__note" });
  #remove;
  #stepper;
  #quantity;

  constructor(id, shop) {
    this.#id = id;
    this.#shop = shop;
    this.#remove = h("button", { type: "button", class: "icon-button line__remove", onclick: () => this.#take() }, icon("trash"));
    this.#stepper = stepper({ label: "", less: "", more: "" }, (quantity) => this.#pick(quantity));
    const text = h("div", { class: "line__text" }, this.#title, this.#each, this.#note);
    this.element = h(
      "li",
      { class: "line", "data-line": id },
      this.#media, text, this.#amount,
      h("div", { class: "line__tools" }, this.#stepper, this.#remove),
    );
  }

  get #name() {
    return this.#title.textContent;
  }

  render({ product, quantity, amount, note, state }) {
    const { t, money } = this.#shop;
    const dead = note?.kind === "withdrawn" || note?.kind === "sold_out";
    say(this.#title, product?.title ?? t("unknown_product"));
    const address = product && state !== "gone" ? `/products/${encodeURIComponent(product.slug)}` : null;
    set(this.#title, "href", address);
    set(this.#media, "href", address);
    this.#picture(product);
    say(this.#each, product && !dead ? t("each", { price: money(product.price, product.currency) }) : "");
    this.#each.hidden = quantity < 2;
    say(this.#amount, product && !dead ? money(amount, product.currency) : "");
    this.element.classList.toggle("line--dead", dead);
    this.#labels();
    this.#stepper.hidden = dead;
    show(this.#stepper, quantity, dead ? 0 : limit(product));
    // Somebody else, or this shopper elsewhere, has changed it.
    if (this.#quantity !== undefined && this.#quantity !== quantity) flash(this.#amount);
    this.#quantity = quantity;
    this.#say(note, product);
  }

  #labels() {
    const { t } = this.#shop;
    const title = this.#name;
    const [less, more] = this.#stepper.querySelectorAll("button");
    set(less, "aria-label", t("less_of", { title }));
    set(more, "aria-label", t("more_of", { title }));
    set(this.#stepper.querySelector("input"), "aria-label", t("quantity_of", { title }));
    set(this.#remove, "aria-label", t("remove_named", { title }));
  }

  #picture(product) {
    const source = safeImage(product?.imageUrl);
    const shown = this.#media.firstElementChild;
    if (shown?.getAttribute("src") === source || (!source && shown?.tagName === "SPAN")) return;
    const image = source && h("img", { src: source, alt: "", width: 96, height: 96, loading: "lazy", decoding: "async" });
    this.#media.replaceChildren(image || h("span", { class: "card__blank" }, (product?.title ?? "•").slice(0, 1)));
  }

  #say(note, product) {
    const { t, money } = this.#shop;
    const kind = note && (note.kind === "price" ? (note.was < product.price ? "price_up" : "price_down") : note.kind);
    const was = note?.kind === "price" ? money(note.was, product.currency) : "";
    const text = kind ? t(`line_${kind}`, { ...note, was }) : "";
    if (this.#note.dataset.text === text) return;
    this.#note.dataset.text = text;
    this.#note.className = `line__note${kind ? ` line__note--${kind}` : ""}`;
    this.#note.replaceChildren(text);
    if (note?.kind === "price") {
      const seen = () => this.#shop.cart.see(this.#id, product, { price: product.price });
      this.#note.append(" ", h("button", { type: "button", class: "link-button", onclick: seen }, t("line_price_seen")));
    }
  }

  #pick(quantity) {
    const { cart, products } = this.#shop;
    cart.set(this.#id, quantity, products.find(this.#id).product);
  }

  #take() {
    const { cart, products, t, toasts } = this.#shop;
    const { quantity, addedAt } = cart.lines[this.#id];
    const title = this.#name;
    const known = cart.remembered[this.#id];
    cart.set(this.#id, 0);
    const undo = () => {
      cart.set(this.#id, quantity, products.find(this.#id).product, addedAt);
      if (known) cart.see(this.#id, known.product, known);
    };
    toasts.show(t("removed", { title }), { label: t("undo"), run: undo });
  }
}
