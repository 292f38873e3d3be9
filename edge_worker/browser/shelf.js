// The products that the server rendered: reads them, and keeps price, stock and availability true in place.
import { h, say, set } from "./dom.js";
import { allowed } from "./lines.js";

/** Every element of the page that shows a product, by id. */
export function shelves(root = document) {
  const found = new Map();
  for (const element of root.querySelectorAll("[data-product]")) {
    const id = element.dataset.product;
    found.set(id, [...(found.get(id) ?? []), element]);
  }
  return found;
}

/** What a card or product page says of its product, in the form that Instant has it. */
export function readProduct(element) {
  const { product: id, slug, title, currency, amount, compare, stock, image, alt } = element.dataset;
  const number = (text) => (text ? Number(text) : null);
  return {
    id, slug, title, currency, price: Number(amount), compareAtPrice: number(compare), stock: number(stock),
    available: !("soldOut" in element.dataset), imageUrl: image ?? "", imageAlt: alt ?? "",
  };
}

/** Shows `verdict` in `elements`. */
export function showProduct(elements, { product, state }, { t, money }) {
  for (const element of elements) {
    const gone = state === "gone";
    const soldOut = gone || !product.available;
    element.classList.toggle("card--sold-out", soldOut && element.classList.contains("card"));
    for (const price of element.querySelectorAll("[data-price]")) product && showPrice(price, product, { t, money });
    for (const badges of element.querySelectorAll("[data-badges]")) showBadge(badges, product, gone, t);
    for (const stock of element.querySelectorAll("[data-stock-note]")) {
      say(stock, gone ? t("withdrawn") : stockNote(product, t));
      stock.classList.toggle("stock--out", soldOut);
    }
    for (const form of element.querySelectorAll("form[data-add]")) limitForm(form, gone ? null : product);
    if (product && element.dataset.title !== product.title) retitle(element, product.title);
  }
}

export function stockNote(product, t) {
  if (!product.available) return t("out_of_stock");
  const { stock } = product;
  if (stock != null && stock > 0 && stock <= 5) return stock === 1 ? t("one_left") : t("low_stock", { count: stock });
  return t("in_stock");
}

// The same elements as the macro `price` in macros.html.
function showPrice(element, product, { t, money }) {
  const now = money(product.price, product.currency);
  const was = isReduced(product) ? money(product.compareAtPrice, product.currency) : "";
  if (element.dataset.shown === now + was) return;
  const first = !("shown" in element.dataset) && element.querySelector(".price__now")?.textContent === now;
  element.dataset.shown = now + was;
  element.classList.toggle("price--sale", Boolean(was));
  element.replaceChildren(
    h("span", { class: "vh" }, t(was ? "sale_price" : "price")), " ", h("span", { class: "price__now" }, now),
    ...(was ? [" ", h("span", { class: "vh" }, t("regular_price")), " ", h("s", { class: "price__was" }, was)] : []),
  );
  if (!first) flash(element);
}

function showBadge(element, product, gone, t) {
  const reduced = !gone && product.available && isReduced(product);
  const percent = reduced ? Math.floor(((product.compareAtPrice - product.price) * 100) / product.compareAtPrice) : 0;
  const asPercent = element.dataset.badges === "percent"; // the product page, which has the stock note beside it
  const text = asPercent
    ? percent ? t("save_percent", { percent }) : ""
    : gone ? t("withdrawn_short") : !product.available ? t("sold_out") : reduced ? t("sale") : "";
  if (element.textContent.trim() === text) return;
  element.replaceChildren(...(text ? [h("span", { class: reduced ? "badge badge--sale" : "badge" }, text)] : []));
}

function limitForm(form, product) {
  const most = product ? allowed(999, product) : 0;
  for (const button of form.querySelectorAll("button")) set(button, "disabled", most === 0);
  const field = form.querySelector("input[type=number]");
  if (!field) return;
  field.max = Math.max(1, most);
  set(field, "disabled", most === 0);
  if (most && Number(field.value) > most) field.value = most;
}

function retitle(element, title) {
  element.dataset.title = title;
  for (const shown of element.querySelectorAll("[data-product-title]")) say(shown, title);
}

function isReduced({ price, compareAtPrice }) {
  return compareAtPrice != null && compareAtPrice > price;
}

/** Draws the eye to what has just changed; reduced motion has none of it. */
export function flash(element) {
  element.classList.remove("flash");
  void element.offsetWidth; // so that a second change starts the animation anew
  element.classList.add("flash");
}
