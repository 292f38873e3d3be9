// The preview: the edge's own HTML in a frame without scripts, kept in place while it changes.
import { find } from "./dom.js";

const OUTLINE = "[data-pointed] { outline: 2px solid #2563eb; outline-offset: -2px; cursor: pointer; }";

export class Preview {
  constructor(origin, onPick = null) {
    this.origin = origin;
    this.onPick = onPick;
    this.frame = find("frame");
    this.stage = find("stage");
    this.width = 1280;
    this.look = "light";
    this.bar();
    if (innerWidth < 640) document.querySelector("[data-width='390']").click(); // a phone shows what phones show
    new ResizeObserver(() => this.fit()).observe(this.stage);
  }

  bar() {
    for (const button of document.querySelectorAll("[data-width], [data-look]")) {
      button.addEventListener("click", () => {
        const name = button.dataset.width ? "width" : "look";
        for (const other of document.querySelectorAll(`[data-${name}]`)) other.setAttribute("aria-pressed", String(other === button));
        this[name] = name === "width" ? Number(button.dataset.width) : button.dataset.look;
        this.fit();
        this.dress();
      });
    }
  }

  // The frame has the chosen width whatever the room, and is scaled to it.
  fit() {
    const room = this.stage.clientWidth, scale = Math.min(1, room / this.width);
    this.frame.style.width = `${this.width}px`;
    this.frame.style.height = `${this.stage.clientHeight / scale}px`;
    this.frame.style.transform = `scale(${scale})`;
    this.frame.style.marginLeft = `${Math.max(0, (room - this.width * scale) / 2)}px`;
  }

  async show(html) {
    const next = new DOMParser().parseFromString(html, "text/html");
    const doc = this.frame.contentDocument;
    if (!this.loaded) return this.load(html);
    const style = doc.querySelector("head style"), text = next.querySelector("head style").textContent;
    if (this.style !== text) { this.style = text; style.textContent = text; this.dress(); }
    doc.title = next.title;
    patch(doc.body, next.body);
    return undefined;
  }

  load(html) {
    // A base in front: addresses within the shop lead to the shop, not to this admin.
    const base = `<base href="${this.origin.replaceAll('"', "%22")}/">`;
    return new Promise((done) => {
      this.frame.addEventListener("load", () => {
        const doc = this.frame.contentDocument;
        this.loaded = true;
        this.style = doc.querySelector("head style").textContent;
        const sheet = new this.frame.contentWindow.CSSStyleSheet();
        sheet.replaceSync(OUTLINE);
        doc.adoptedStyleSheets = [sheet];
        this.dress();
        this.wire(doc);
        done();
      }, { once: true });
      this.frame.srcdoc = html.replace("<head>", `<head>${base}`);
    });
  }

  // The page follows the device's look; here it follows the switch.
  dress() {
    this.frame.style.colorScheme = this.look;
    const doc = this.frame.contentDocument;
    if (!this.loaded) return;
    const wanted = this.look === "dark" ? "all" : "not all";
    doc.querySelector("head style").textContent = this.style.replace("(prefers-color-scheme:dark)", wanted);
    doc.querySelector("meta[name=color-scheme]").content = this.look;
  }

  wire(doc) {
    doc.addEventListener("click", (event) => {
      event.preventDefault(); // the preview goes nowhere
      const id = sectionOf(event.target);
      if (id) this.onPick?.(id);
    });
    doc.addEventListener("submit", (event) => event.preventDefault());
    let pointed = [];
    doc.addEventListener("pointerover", (event) => {
      for (const element of pointed) element.removeAttribute("data-pointed");
      const id = this.onPick && sectionOf(event.target);
      pointed = id ? elementsOf(doc, id) : [];
      for (const element of pointed) element.setAttribute("data-pointed", "");
    });
  }

  scrollTo(id) {
    const [first] = this.loaded ? elementsOf(this.frame.contentDocument, id) : [];
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    first?.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  }
}

const MARK = /^section:(.+)$/;

// The section that an element belongs to: the mark in front of it, or of what contains it.
function sectionOf(target) {
  for (let element = target; element && element.localName !== "body"; element = element.parentElement) {
    if (!["MAIN", "BODY"].includes(element.parentElement?.nodeName)) continue;
    for (let node = element.previousSibling; node; node = node.previousSibling) {
      const mark = node.nodeType === Node.COMMENT_NODE && MARK.exec(node.data);
      if (mark) return element.closest("main, aside") ? mark[1] : null;
    }
  }
  return null;
}

function elementsOf(doc, id) {
  const marks = doc.createNodeIterator(doc.body, NodeFilter.SHOW_COMMENT);
  for (let mark = marks.nextNode(); mark; mark = marks.nextNode()) {
    if (mark.data !== `section:${id}`) continue;
    const found = [];
    for (let node = mark.nextSibling; node && !(node.nodeType === Node.COMMENT_NODE && MARK.test(node.data)); node = node.nextSibling) {
      if (node.nodeType === Node.ELEMENT_NODE) found.push(node);
      if (mark.parentElement.localName === "body") break; // an announcement is one element; the header follows
    }
    return found;
  }
  return [];
}

// Makes `old` look like `fresh` and leaves alone what is equal, so that nothing jumps or flickers.
function patch(old, fresh) {
  const kept = [...old.childNodes], wanted = [...fresh.childNodes];
  const deep = old.localName === "body" || old.localName === "main";
  let start = 0;
  while (start < kept.length && start < wanted.length && same(kept[start], wanted[start])) start += 1;
  let end = 0;
  while (end < kept.length - start && end < wanted.length - start && same(kept.at(-1 - end), wanted.at(-1 - end))) end += 1;
  const before = kept.slice(start, kept.length - end), after = wanted.slice(start, wanted.length - end);
  if (deep && before.length === after.length) {
    before.forEach((node, number) => {
      if (same(node, after[number])) return;
      if (node.localName === "main" && after[number].localName === "main") patch(node, after[number]);
      else node.replaceWith(old.ownerDocument.importNode(after[number], true));
    });
    return;
  }
  const anchor = kept[kept.length - end] ?? null;
  for (const node of before) node.remove();
  for (const node of after) old.insertBefore(old.ownerDocument.importNode(node, true), anchor);
}

function same(one, other) {
  if (one.nodeType !== other.nodeType) return false;
  if (one.nodeType !== Node.ELEMENT_NODE) return one.data === other.data;
  one.removeAttribute?.("data-pointed");
  return one.isEqualNode(other);
}
