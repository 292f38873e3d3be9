// Makes a shop that was visited open without a network: pages as they were last seen, marked as such, and their files.
// A page always comes from the network when there is one; a saved copy says when it was saved (<html data-saved-at>),
// and products then come from IndexedDB. VERSION and ASSETS are filled in by build.mjs.
const FILES = `files-${VERSION}`;
const PAGES = "pages";
const MOST_PAGES = 40;
const MOST_PICTURES = 120;
const CLOSED = new Set([410, 451]); // see storefront/hosts.py
const KEPT_MS = 14 * 24 * 3600 * 1000;
const WAIT_MS = 8000; // for a network that neither answers nor fails

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(FILES).then((cache) => cache.addAll(ASSETS)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith("files-") && name !== FILES).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET") return;
  if (request.mode === "navigate" && url.origin === location.origin) event.respondWith(page(event, url));
  else if (url.origin === location.origin && /^\/(?:assets|static)\//.test(url.pathname)) event.respondWith(file(event));
  else if (request.destination === "image") event.respondWith(picture(request));
});

// The page that did the registering was loaded before there was a worker to keep it.
self.addEventListener("message", (event) => {
  const keep = (address) => fetch(address).then((answer) => keepPage(new URL(address), answer));
  const { pages = [], files = [] } = event.data ?? {};
  const taken = caches.open(FILES).then((cache) => cache.addAll(files));
  event.waitUntil(Promise.allSettled([taken, ...pages.map(keep)]));
});

async function page(event, url) {
  const network = fetch(event.request);
  const kept = network.then((answer) => keepPage(url, answer.clone()));
  event.waitUntil(kept.catch(() => {}));
  try {
    return await Promise.race([network, tooLate()]);
  } catch {
    return (await savedPage(url)) ?? network;
  }
}

function tooLate() {
  return new Promise((_, reject) => setTimeout(reject, WAIT_MS));
}

/** Keeps a shop's page. One that is gone takes its copy with it, a shop that is closed all of them; an outage none. */
async function keepPage(url, answer) {
  if (url.searchParams.has("add") || url.pathname === "/report") return; // a wish, and a form that needs the network
  const address = url.href.split("#")[0];
  const cache = await caches.open(PAGES);
  if (CLOSED.has(answer.status)) return void (await caches.delete(PAGES));
  if (!answer.ok) {
    if (answer.status < 500) await cache.delete(address);
    return;
  }
  if (answer.redirected || !answer.headers.get("content-type")?.startsWith("text/html")) return;
  const headers = new Headers(answer.headers);
  headers.set("x-saved-at", new Date().toISOString());
  await cache.delete(address); // so that it moves to the end: the oldest goes first
  await cache.put(address, new Response(await answer.text(), { headers }));
  await trim(cache, MOST_PAGES);
}

async function savedPage(url) {
  const cache = await caches.open(PAGES);
  const found = (await cache.match(url.href.split("#")[0])) ?? (await cache.match(url.origin + url.pathname));
  const savedAt = found?.headers.get("x-saved-at");
  if (!savedAt || Date.now() - Date.parse(savedAt) > KEPT_MS) return null;
  const html = (await found.text()).replace("<html ", `<html data-saved-at="${savedAt}" `);
  return new Response(html, { headers: found.headers });
}

async function file(event) {
  const { request } = event;
  const found = await caches.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) {
    const kept = answer.clone();
    event.waitUntil(caches.open(FILES).then((cache) => cache.put(request, kept)).catch(() => {}));
  }
  return answer;
}

// Pictures come from the network; only without one from what was kept.
async function picture(request) {
  const cache = await caches.open("pictures");
  try {
    const answer = await fetch(request);
    if (answer.ok || answer.type === "opaque") await cache.put(request, answer.clone()).then(() => trim(cache, MOST_PICTURES)).catch(() => {});
    return answer;
  } catch {
    // One that was shown before this worker was there may still be in the browser's own cache, however old.
    const found = await cache.match(request);
    return found ?? fetch(request.url, { mode: "no-cors", cache: "force-cache" }).catch(() => Response.error());
  }
}

async function trim(cache, most) {
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((key) => cache.delete(key)));
}
