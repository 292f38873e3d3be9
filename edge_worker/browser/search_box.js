// Search as you type: a combobox over the page's own search form, which works as a form all the while.
import { h, safeImage, say, set } from "./dom.js";
import { within } from "./citations.js";

const PAUSE_MS = 160;
const SHORTEST = 2;
const PRODUCTS = 5;
const ANSWERS = 2;

let boxes = 0;

/** Makes `form` suggest; @param shop {t, money} */
export function suggest(form, shop) {
  return new SearchBox(form, shop);
}

class SearchBox {
  #shop;
  #form;
  #input;
  #known = new Map();
  #timer;
  #request = null;
  #active = -1;
  #list;
  #status = h("p", { class: "vh", role: "status" });

  constructor(form, shop) {
    this.#shop = shop;
    this.#form = form;
    this.#input = form.elements.q;
    boxes += 1;
    this.#list = h("div", { class: "suggest", id: `suggest-${boxes}`, role: "listbox", "aria-label": shop.t("suggest_label"), hidden: true });
    this.#list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    form.append(this.#list, this.#status);
    const attributes = { role: "combobox", "aria-expanded": "false", "aria-controls": this.#list.id, "aria-autocomplete": "list" };
    for (const [name, value] of Object.entries(attributes)) set(this.#input, name, value);
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("focus", () => this.#typed());
    form.addEventListener("focusout", (event) => form.contains(event.relatedTarget) || this.#close());
    form.addEventListener("submit", () => this.#close());
    if (this.#input.value.trim() && this.#input.value !== this.#input.defaultValue) this.#typed();
  }

  get #options() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    const text = this.#input.value.trim();
    if (text.length < SHORTEST || text === this.#input.defaultValue.trim()) return this.#close();
    if (this.#known.has(text)) return this.#show(text, this.#known.get(text));
    this.#timer = setTimeout(() => this.#ask(text), PAUSE_MS);
    return undefined;
  }

  async #ask(text) {
    const request = (this.#request = new AbortController());
    try {
      const answer = await fetch(`/api/search?${new URLSearchParams({ q: text, limit: PRODUCTS })}`, { signal: request.signal });
      if (!answer.ok) throw new Error(`search says ${answer.status}`);
      const found = await answer.json();
      this.#known.set(text, found);
      if (this.#input.value.trim() === text && document.activeElement === this.#input) this.#show(text, found);
    } catch {
      if (!request.signal.aborted) this.#close(); // Enter still leads to the page of results
    }
  }

  #show(text, { products, answers, suggestions }) {
    const { t } = this.#shop;
    const closest = products.length || answers.length ? [] : suggestions.slice(0, 3);
    const all = h("a", { role: "option", class: "suggest__all", href: `/search?${new URLSearchParams({ q: text })}` }, t("suggest_all", { question: text }));
    this.#list.replaceChildren(...[
      products.length > 0 && this.#group(t("suggest_products"), products.slice(0, PRODUCTS).map((one) => this.#product(one))),
      answers.length > 0 && this.#group(t("suggest_answers"), answers.slice(0, ANSWERS).map((one) => this.#answer(one, all.href))),
      closest.length > 0 && this.#group(t("suggest_closest"), closest.map((one) => this.#product(one))),
      all,
    ].filter(Boolean));
    this.#options.forEach((option, index) => {
      option.id = `${this.#list.id}-${index}`;
      option.tabIndex = -1;
      set(option, "aria-selected", "false");
    });
    const count = products.length + Math.min(answers.length, ANSWERS);
    say(this.#status, count ? t("suggest_count", { count }) : t("suggest_none"));
    this.#open();
  }

  #group(label, options) {
    const id = `${this.#list.id}-${label}`.replace(/\W+/g, "-");
    return h("div", { role: "group", "aria-labelledby": id }, h("p", { class: "suggest__head", id, role: "presentation" }, label), ...options);
  }

  #product({ slug, title, price, currency, compare_at_price: was, image_url: image, available }) {
    const { t, money } = this.#shop;
    const address = safeImage(image);
    const reduced = was != null && was > price;
    return h(
      "a",
      { role: "option", class: "suggest__product", href: `/products/${encodeURIComponent(slug)}` },
      h("span", { class: "suggest__media", "aria-hidden": "true" }, address ? h("img", { src: address, alt: "", width: 96, height: 96, decoding: "async" }) : title.slice(0, 1)),
      h("span", { class: "suggest__title" }, title),
      h("span", { class: "suggest__price" }, available ? money(price, currency) : t("sold_out"), available && reduced && h("s", {}, money(was, currency))),
    );
  }

  #answer({ title, text, url }, all) {
    return h(
      "a", { role: "option", class: "suggest__answer", href: within(url, location.origin) || all },
      h("span", { class: "suggest__title" }, title), h("span", { class: "suggest__text" }, text),
    );
  }

  #key(event) {
    if (event.isComposing) return;
    const last = this.#options.length - 1;
    const moves = {
      ArrowDown: () => (this.#active >= last ? -1 : this.#active + 1),
      ArrowUp: () => (this.#active < 0 ? last : this.#active - 1),
    };
    if (event.key === "Escape" && !this.#list.hidden) {
      event.preventDefault();
      this.#close();
    } else if (moves[event.key]) {
      event.preventDefault();
      if (this.#list.hidden) this.#typed();
      else this.#choose(moves[event.key]());
    } else if (event.key === "Enter" && this.#active >= 0) {
      event.preventDefault();
      this.#options[this.#active].click();
    }
  }

  #choose(index) {
    this.#active = index;
    this.#options.forEach((option, number) => set(option, "aria-selected", String(number === index)));
    const chosen = this.#options[index];
    set(this.#input, "aria-activedescendant", chosen?.id ?? null);
    chosen?.scrollIntoView({ block: "nearest" });
  }

  #open() {
    this.#choose(-1);
    this.#list.hidden = false;
    set(this.#input, "aria-expanded", "true");
  }

  #close() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#choose(-1);
    this.#list.hidden = true;
    set(this.#input, "aria-expanded", "false");
  }
}
