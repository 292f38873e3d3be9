// The only script that a page waits for: it starts the rest once the page has been painted.
// A further feature is a further dynamic import here; esbuild gives it a chunk of its own. main.js hands each feature
// the page's connection, cart, words and toasts.
import { page } from "./page.js";

function afterPaint(start) {
  requestAnimationFrame(() => setTimeout(start));
}

// Whoever presses a button before the rest is here is served as soon as it is.
const early = [];
function hold(event) {
  const pressed = event.target.closest(event.type === "submit" ? "form[data-add]" : "[data-cart-link]");
  if (!pressed || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  early.push(pressed);
}
for (const type of ["submit", "click"]) document.addEventListener(type, hold);

afterPaint(async () => {
  const here = page();
  const begin = import("./main.js").then(({ start }) => start(here));
  const begun = await begin.catch((error) => console.error("This page is not live:", error));
  for (const type of ["submit", "click"]) document.removeEventListener(type, hold);
  for (const pressed of early) {
    if (pressed.tagName === "A") pressed.click();
    else if (begun) pressed.requestSubmit();
    else pressed.submit(); // to the cart's page, as without scripts
  }
  document.documentElement.dataset.live = Boolean(begun);
  if (!begun) return;
  keepForOffline();
  suggestWhileTyping(begun);
  if (here.chat) import("./chat.js").then(({ offerChat }) => offerChat(begun, here)).catch((error) => console.error("No chat:", error));
});

// A search field suggests from the first time that it is used.
function suggestWhileTyping(shop) {
  const ready = new Set();
  const begin = ({ target }) => {
    const form = target.closest?.("form[role=search]");
    if (!form || target.name !== "q" || ready.has(form)) return;
    ready.add(form);
    import("./search_box.js").then(({ suggest }) => suggest(form, shop)).catch(() => ready.delete(form)); // it stays a form
  };
  document.addEventListener("focusin", begin);
  begin({ target: document.activeElement });
}

function keepForOffline() {
  if (!navigator.serviceWorker) return;
  const here = document.documentElement.dataset.savedAt ? [] : [location.href.split("#")[0]];
  const pages = [...here, `${location.origin}/cart`];
  const files = [...document.querySelectorAll("link[rel=stylesheet]")].map((link) => link.href);
  navigator.serviceWorker
    .register("/sw.js")
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => navigator.serviceWorker.controller || active.postMessage({ pages, files }))
    .catch(() => {}); // blocked, or a private window: the shop just does not open offline
}
