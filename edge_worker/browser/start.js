// The only script that a page waits for: it starts the rest once the page has been painted.
// A further feature is a further dynamic import here; esbuild gives it a chunk of its own. main.js hands each feature
// the page's connection, cart, words and toasts.
import { page } from "./page.js";

function afterPaint(start) {
  requestAnimationFrame(() => setTimeout(start));
}

afterPaint(async () => {
  const facts = page();
  const { start } = await import("./main.js");
  start(facts);
  keepForOffline();
});

function keepForOffline() {
  if (!navigator.serviceWorker) return;
  const here = document.documentElement.dataset.savedAt ? [] : [location.href.split("#")[0]];
  const keep = [...here, `${location.origin}/cart`];
  navigator.serviceWorker
    .register("/sw.js")
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => navigator.serviceWorker.controller || active.postMessage({ keep }))
    .catch(() => {}); // blocked, or a private window: the shop just does not open offline
}
