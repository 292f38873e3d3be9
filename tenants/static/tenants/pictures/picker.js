// Choosing a picture: from the shop's library, by uploading one, or by its address elsewhere.
import { dropArea, upload } from "./upload.js";

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const ACCEPTED = "image/jpeg,image/png,image/webp,image/gif,image/avif";

let dialog, parts, answer, asked;

// `urls` {library, upload}, `shop` its id, `base` its origin; resolves to {url, alt}, or null where nothing was chosen.
export function pick(urls, shop, base = "") {
  dialog ??= build();
  asked = { urls, shop, base };
  for (const input of [parts.search, parts.address]) input.value = "";
  say("");
  dialog.showModal();
  show();
  return new Promise((resolve) => { answer = resolve; });
}

export const whole = (address, base) => (address.startsWith("/") && !address.startsWith("//") ? base + address : address);

function build() {
  parts = {
    file: make("input", { type: "file", accept: ACCEPTED, className: "pic-file", id: "pic-picker-file" }),
    search: make("input", { type: "search", className: "pic-input", placeholder: "Search the library" }),
    list: make("ul", { className: "pic-list" }),
    more: make("button", { type: "button", className: "pic-button", textContent: "Show more", hidden: true }),
    used: make("ul", { className: "pic-list" }),
    usedTitle: make("h3", { textContent: "Others that your shop uses", hidden: true }),
    address: make("input", { type: "text", inputMode: "url", className: "pic-input", placeholder: "https://… or /…", id: "pic-picker-address", spellcheck: false }),
    use: make("button", { type: "button", className: "pic-button", textContent: "Use this address" }),
    said: make("p", { className: "pic-said" }),
    progress: make("progress", { max: 1, hidden: true }),
  };
  parts.said.setAttribute("role", "status");
  parts.search.setAttribute("aria-label", "Search the library");
  parts.progress.setAttribute("aria-label", "Upload");
  const close = make("button", { type: "button", className: "pic-close", textContent: "✕" });
  close.setAttribute("aria-label", "Close");
  const title = make("h2", { textContent: "Choose a picture", id: "pic-picker-title" });
  const button = make("label", { className: "pic-button pic-primary", textContent: "Upload a picture", htmlFor: parts.file.id });
  const element = make("dialog", { className: "pic-dialog" },
    make("header", {}, title, close),
    make("div", { className: "pic-tools" }, make("span", { className: "pic-upload" }, parts.file, button, " or drop it here"), parts.search),
    parts.progress, parts.said, parts.list, parts.more, parts.usedTitle, parts.used,
    make("footer", {}, make("label", { htmlFor: parts.address.id, textContent: "A picture that is elsewhere" }), parts.address, parts.use));
  element.setAttribute("aria-labelledby", title.id);
  listen(element, close);
  document.body.append(element);
  return element;
}

function listen(element, close) {
  close.addEventListener("click", () => element.close());
  element.addEventListener("click", (event) => { if (event.target === element) element.close(); });
  element.addEventListener("close", () => done(null));
  parts.file.addEventListener("change", () => { if (parts.file.files.length) send(parts.file.files[0]); });
  dropArea(element, ([file]) => { if (file) send(file); });
  let timer;
  parts.search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 200); });
  parts.search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  parts.more.addEventListener("click", () => show(parts.list.lastElementChild.dataset.id));
  const byAddress = () => {
    const url = parts.address.value.trim();
    if (/^(https?:\/\/|\/(?!\/))/.test(url)) done({ url, alt: "" });
    else { say("Begin the address of a picture with https:// or /."); parts.address.focus(); }
  };
  parts.use.addEventListener("click", byAddress);
  parts.address.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); byAddress(); } });
}

function done(chosen) {
  const resolve = answer;
  answer = null;
  resolve?.(chosen);
  if (dialog.open) dialog.close();
}

const say = (text) => { parts.said.textContent = text; };

let turn = 0;
async function show(before = "") {
  const mine = (turn += 1), query = parts.search.value.trim();
  let found;
  try {
    const response = await fetch(`${asked.urls.library}?${new URLSearchParams({ shop: asked.shop, q: query, before })}`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error();
    found = await response.json();
  } catch {
    if (mine === turn) say("The library can't be reached. Try again, or log in in another tab.");
    return;
  }
  if (mine !== turn) return; // an older search's answer
  const items = found.pictures.map((one) => item(one.thumb, one.title, one.alt || one.title, () => done({ url: one.url, alt: one.alt }), one.id));
  if (before) parts.list.append(...items); else parts.list.replaceChildren(...items);
  if (before) items[0]?.firstElementChild.focus();
  if (!parts.list.children.length) parts.list.append(make("li", { className: "pic-none", textContent: query ? "No picture has this in its name or description." : "The library is empty: upload the first picture." }));
  parts.more.hidden = !found.more;
  if (before) return;
  parts.used.replaceChildren(...found.used.map(({ url, title }) => item(whole(url, asked.base), title, title, () => done({ url, alt: "" }))));
  parts.usedTitle.hidden = !found.used.length;
}

function item(source, title, label, chosen, id = "") {
  const image = make("img", { src: source, alt: "", loading: "lazy", width: 96, height: 96 });
  const button = make("button", { type: "button", title: label }, image, make("span", { textContent: title }));
  button.addEventListener("click", chosen);
  const entry = make("li", {}, button);
  entry.dataset.id = id;
  return entry;
}

async function send(file) {
  parts.progress.hidden = false;
  parts.progress.removeAttribute("value");
  say(`Uploading ${file.name} …`);
  try {
    const { picture } = await upload(asked.urls.upload, asked.shop, file, (share) => { if (share < 1) parts.progress.value = share; else parts.progress.removeAttribute("value"); });
    if (dialog.open) done({ url: picture.url, alt: picture.alt });
  } catch (error) {
    say(error.message);
  }
  parts.progress.hidden = true;
  parts.file.value = "";
}
