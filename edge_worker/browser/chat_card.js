// A product within an answer: what shelf.js reads of a product and keeps true, in one row.
import { h, icon, safeImage } from "./dom.js";
import { showProduct } from "./shelf.js";

/** @param product as chat_api.py tells it; @param worth "page" of one just told, "old" of one from an earlier page */
export function cards(products, shop, worth) {
  const list = h("ul", { class: "chat-cards", role: "list" }, ...products.map((product) => card(product, shop)));
  shop.shelve(list, worth);
  for (const row of list.children) showProduct([row], shop.products.find(row.dataset.product), shop); // the page may know better
  return list;
}

function card(product, { t }) {
  const { id, title } = product;
  const href = `/products/${encodeURIComponent(product.slug)}`;
  const image = safeImage(product.image_url);
  const picture = image ? h("img", { src: image, alt: "", width: 128, height: 128, loading: "lazy", decoding: "async" }) : title.slice(0, 1);
  const button = h("button", { class: "chat-card__add", "aria-label": t("add_named", { title }) }, icon("plus"));
  return h(
    "li",
    { class: "chat-card", ...facts(product, image) },
    h("a", { class: "chat-card__media", href, tabindex: -1, "aria-hidden": "true" }, picture),
    h(
      "div", { class: "chat-card__text" },
      h("a", { class: "chat-card__title", href, "data-product-title": true }, title),
      h("p", { class: "chat-card__facts" }, h("span", { class: "price", "data-price": true }), h("span", { class: "chat-card__stock", "data-stock-note": true })),
    ),
    h("form", { action: "/cart", "data-add": id }, button),
  );
}

function facts(product, image) {
  return {
    "data-product": product.id, "data-slug": product.slug, "data-title": product.title, "data-amount": product.price,
    "data-currency": product.currency, "data-compare": product.compare_at_price, "data-stock": product.stock,
    "data-image": image, "data-alt": product.image_alt, "data-sold-out": !product.available,
  };
}
