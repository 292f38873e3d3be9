// Puts a page's live parts together: products on the shelf, the cart, its drawer, and what is said about them.
import { Cart } from "./cart.js";
import { CartSync } from "./cart_sync.js";
import { CartView } from "./cart_view.js";
import { ConnectionNote } from "./connection.js";
import { connect, followConnection } from "./db.js";
import { say, set } from "./dom.js";
import { Drawer } from "./drawer.js";
import { whenNotKept } from "./keep.js";
import { limit } from "./lines.js";
import { formatMoney } from "./money.js";
import { translator } from "./page.js";
import { Products } from "./products.js";
import { Sharing } from "./sharing.js";
import { readProduct, shelves, showProduct } from "./shelf.js";
import { wire } from "./stepper.js";
import { Toasts } from "./toasts.js";

/**
 * @param page see page.js
 * @returns what other features of the page build on: {t, money, toasts, cart, db, products, note, shelve, openCart}
 */
export function start(page) {
  const t = translator(page.words);
  const shop = { t, money: (amount, currency) => formatMoney(amount, currency, page.money), toasts: new Toasts(t) };
  whenNotKept(() => shop.toasts.show(t("not_kept")));
  shop.cart = new Cart(page.tenant);
  shop.db = open(page.realtime);
  shop.products = new Products(shop.db, page.tenant);
  shop.note = new ConnectionNote(t);
  const sharing = new Sharing(shop);
  stockShelves(shop);
  if (shop.db) carry(shop, page.tenant);
  listen(shop, showCart(shop, sharing));
  const accept = () => sharing.acceptInvitation() && shop.openCart?.();
  addEventListener("hashchange", accept);
  accept();
  addFromAddress(shop);
  return shop;
}

function open(realtime) {
  try {
    return realtime.appId && realtime.apiURI && realtime.websocketURI ? connect(realtime) : null;
  } catch (error) {
    console.error("This page has no live products:", error);
    return null;
  }
}

function stockShelves(shop) {
  const { products, cart } = shop;
  const shown = new Map();
  const state = document.documentElement.dataset.savedAt ? "old" : "page";
  /** Keeps true what an element shows of products, from now on. */
  shop.shelve = (root, worth = "page") => {
    for (const [id, elements] of shelves(root)) {
      shown.set(id, [...(shown.get(id) ?? []).filter((one) => one.isConnected), ...elements]);
      products.remember(readProduct(elements[0]), worth);
    }
    products.watch("page", [...shown.keys()]);
  };
  const show = (id) => shown.has(id) && showProduct(shown.get(id), products.find(id), shop);
  products.onChange((ids) => ids.filter((id) => products.find(id).state !== "page").forEach(show));
  shop.shelve(document, state);
  for (const { product } of Object.values(cart.remembered)) if (product) products.remember(product, "old");
  for (const element of document.querySelectorAll("[data-stepper]")) wire(element);
  const watchCart = () => products.watch("cart", Object.keys(cart.lines));
  const keepTrue = () => fitToStock(shop);
  for (const callback of [watchCart, keepTrue]) cart.onChange(callback);
  products.onChange(keepTrue);
  watchCart();
}

/** Remembers what the cart's products look like, and lowers a line to what is left of its product. */
function fitToStock({ cart, products }) {
  for (const [id, { quantity }] of Object.entries(cart.lines)) {
    const { product, state } = products.find(id);
    if (!product || state === "old") continue;
    const most = limit(product);
    const wanted = quantity > most && most > 0 && state === "live" ? quantity : undefined;
    if (wanted) cart.set(id, most, product);
    cart.see(id, product, { wanted });
  }
}

function carry(shop, tenant) {
  const { cart, products, db, t, toasts, note } = shop;
  const said = {
    refused: ({ productId }) => toasts.show(t("refused", { title: products.find(productId).product?.title ?? t("cart") })),
    ended: ({ seen }) => toasts.show(t(seen ? "ended" : "ended_unknown")),
    failed: () => toasts.show(t("not_synced")),
  };
  shop.sync = new CartSync(db, cart, tenant, (event, details) => said[event](details));
  followConnection(db, (state) => {
    note.tell(state);
    shop.sync.connection(state);
  });
}

function showCart(shop, sharing) {
  const { cart, products, t, note } = shop;
  const drawerBanner = sharing.banner();
  const line = document.createElement("p");
  line.className = "cart-status";
  const view = new CartView(shop);
  const drawer = new Drawer({ view, t, top: [drawerBanner], foot: [sharing.actions(), line] });
  const pageParts = showCartPage(shop, sharing);
  const render = () => {
    showCount(cart.count, t);
    if (drawer.dialog.open) view.render();
    pageParts?.render();
    for (const banner of [drawerBanner, pageParts?.banner]) if (banner) sharing.update(banner);
    const status = shop.sync ? note.line(shop.sync.settled) : "";
    for (const element of [line, pageParts?.line]) if (element) say(element, cart.count ? status : "");
  };
  const changed = () => {
    sharing.follow(render);
    render();
  };
  cart.onChange(changed);
  products.onChange(render);
  shop.db?.subscribeConnectionStatus(() => queueMicrotask(render));
  for (const name of ["online", "offline"]) addEventListener(name, () => queueMicrotask(render));
  changed();
  return drawer;
}

function showCartPage(shop, sharing) {
  const body = document.querySelector("[data-cart-body]");
  if (!body) return null;
  const view = new CartView(shop);
  const banner = sharing.banner();
  const line = document.createElement("p");
  line.className = "cart-status";
  const side = document.createElement("aside");
  side.className = "cart-page__side";
  side.append(...[view.summary, sharing.actions(), line].filter(Boolean));
  const main = document.createElement("div");
  main.append(banner, view.lines);
  body.replaceChildren(main, side);
  return { banner, line, render: () => view.render() };
}

function showCount(count, t) {
  for (const link of document.querySelectorAll("[data-cart-link]")) {
    say(link.querySelector("[data-cart-count]"), count ? String(count > 99 ? "99+" : count) : "");
    say(link.querySelector(".vh"), count ? t("cart_count", { count }) : t("cart"));
  }
}

function listen(shop, drawer) {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-add]");
    if (!form) return;
    event.preventDefault();
    const quantity = Number(new FormData(form).get("quantity") ?? 1) || 1;
    add(shop, form.dataset.add, quantity);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-cart-link]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || document.querySelector("[data-cart-body]")) return;
    event.preventDefault();
    drawer.open();
  });
  if (!document.querySelector("[data-cart-body]")) shop.openCart = () => drawer.open();
  hideBrokenPictures();
}

// Offline a picture may be missing: its place stays, without the browser's mark.
function hideBrokenPictures() {
  const hide = (image) => image.classList.add("missing");
  document.addEventListener("error", (event) => event.target.tagName === "IMG" && hide(event.target), true);
  for (const image of document.images) if (image.complete && !image.naturalWidth && image.loading !== "lazy") hide(image);
}

/** Puts a product into the cart and says what came of it. Also for other features of the page. */
export function add(shop, id, quantity) {
  const { cart, products, t, toasts } = shop;
  const { product, state } = products.find(id);
  const title = product?.title ?? "";
  const taken = state === "gone" ? 0 : cart.add(id, quantity, product);
  const open = shop.openCart && { label: t("view_cart"), run: shop.openCart };
  if (taken === quantity) toasts.show(t("added", { title }), open);
  else toasts.show(taken > 0 ? t("added_some", { title, count: taken }) : t("none_left", { title }), open);
  const badge = document.querySelector("[data-cart-count]");
  if (badge) set(badge, "data-bump", badge.dataset.bump === "1" ? "2" : "1");
}

/** A button that was pressed before this script was there led to /cart?add=…: does what was wanted. */
function addFromAddress(shop) {
  const query = new URLSearchParams(location.search);
  const id = query.get("add");
  if (!id || !document.querySelector("[data-cart-body]")) return;
  history.replaceState(history.state, "", location.pathname);
  shop.products.watch("asked", [id]);
  const stop = setTimeout(() => finish(), 4000);
  let done = false;
  const finish = () => {
    if (done) return;
    done = true;
    clearTimeout(stop);
    if (shop.products.find(id).product) add(shop, id, Number(query.get("quantity")) || 1);
  };
  shop.products.onChange((ids) => ids.includes(id) && finish());
  if (shop.products.find(id).product) finish();
}
