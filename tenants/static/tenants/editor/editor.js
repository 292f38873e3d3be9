// The landing editor: what is typed is previewed at once, kept a second later, and live when it is published.
import { post, start } from "./api.js";
import * as cards from "./cards.js";
import { resolve } from "./conflict.js";
import { find, later, make, openDialog, say } from "./dom.js";
import { below, mount, read, showProblems } from "./fields.js";
import { Preview } from "./frame.js";
import "./receipt.js";
import "./schedule.js";
import { showSeo } from "./seo.js";
import "./sharing.js";
import "./tabs.js";

const STATES = { draft: "Draft", live: "Live", changed: "Changed" };
const panels = Object.fromEntries(["theme", "seo", "menu"].map((name) => [name, document.querySelector(`[data-panel="${name}"]`)]));
const preview = new Preview(start.shop.origin, (id) => { document.getElementById("tab-sections").click(); cards.openById(id); });
const saved = find("saved"), state = find("state");

let version = start.version, dirty = 0, saving = false, tried = false, problems = {};

const page = () => ({ theme: read(panels.theme), seo: read(panels.seo), navigation: read(panels.menu).navigation, sections: cards.readAll() });

function fill(content) {
  for (const name of ["theme", "seo"]) mount(fresh(name), content[name], changed);
  mount(fresh("menu"), { navigation: content.navigation }, changed);
  cards.show(content.sections);
  showSeo(content.seo);
}

// A panel as the server made it, without what an earlier filling bound to it.
const blank = Object.fromEntries(Object.entries(panels).map(([name, panel]) => [name, panel.cloneNode(true)]));
function fresh(name) {
  const copy = blank[name].cloneNode(true);
  panels[name].replaceWith(copy);
  panels[name] = copy;
  if (!start.mayChange) queueMicrotask(() => { for (const input of copy.querySelectorAll("input, textarea, select, button")) input.disabled = true; });
  return copy;
}

function changed() {
  dirty += 1;
  saved.textContent = "Not saved yet";
  const publish = find("publish");
  if (publish) publish.disabled = false;
  showSeo(read(panels.seo));
  draw();
  save();
}

// Preview: one request at a time; what was typed meanwhile is drawn next.
let drawing = false, again = false;
const draw = later(60, async () => {
  if (drawing) { again = true; return; }
  drawing = true;
  try {
    const { status, body } = await post("preview", { page: page() });
    if (status === 200) { await preview.show(body.html); weigh(body); }
    else refuse([body.message]);
  } catch {
    // The network is away for a moment: the next change draws again, and saving says so.
  }
  drawing = false;
  if (again) { again = false; draw.now(); }
});

function weigh({ size, limit, sizes, problems: found }) {
  const meter = document.getElementById("ed-meter");
  meter.max = limit;
  meter.high = limit * 0.9;
  meter.value = Math.min(size, limit);
  find("weight").textContent = `${(size / 1024).toFixed(1)} of ${limit / 1024} KB`;
  const largest = Object.entries(sizes).sort(([, one], [, other]) => other - one).slice(0, 3);
  const names = new Map(cards.readAll().map((section) => [section.id, section.heading || section.text || section.kind.replaceAll("_", " ")]));
  find("largest").replaceChildren(...largest.map(([id, bytes]) => make("li", { textContent: `${names.get(id)}: ${(bytes / 1024).toFixed(1)} KB` })));
  problems = found;
  showAll();
}

function showAll() {
  showProblems(panels.theme, below(problems, "theme."), true); // contrast shows while colours are chosen
  showProblems(panels.seo, below(problems, "seo."), tried);
  showProblems(panels.menu, Object.fromEntries(Object.entries(problems).filter(([path]) => path.startsWith("navigation."))), tried);
  cards.problems(problems, tried);
}

// Saving: a second after the last change, again and again while the network is away.
let underway = Promise.resolve();
const save = later(1000, () => { if (start.mayChange && dirty && !saving) underway = keep(); return underway; });

async function keep() {
  saving = true;
  const upTo = dirty;
  saved.textContent = "Saving…";
  try {
    const { status, body } = await post("draft", { version, page: page() });
    saving = false;
    if (status === 409) await conflict(body);
    else if (status === 200) settled(body, upTo);
    else failed(body.message);
  } catch {
    saving = false;
    failed("The network is away: your changes are kept here and saved when it is back.");
  }
}

function settled(body, upTo) {
  version = body.version;
  show(body.state);
  if (dirty === upTo) { dirty = 0; saved.textContent = "Saved"; } else save();
}

function failed(text) {
  saved.textContent = text;
  setTimeout(() => save.now(), 4000);
}

function show(now) {
  state.dataset.state = now;
  state.textContent = STATES[now];
  const unpublish = find("unpublish");
  if (unpublish) unpublish.hidden = now === "draft";
  const publish = find("publish");
  if (publish) publish.disabled = now === "live";
}

async function conflict(theirs) {
  const mine = page();
  const choice = await resolve(theirs, mine);
  version = theirs.version;
  dirty = 0;
  if (choice === "theirs") { fill(theirs.page); draw.now(); saved.textContent = "Their version is in the editor; yours is kept under Revisions."; return; }
  dirty = 1;
  await save.now();
}

find("publish")?.addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  tried = true;
  refuse([]);
  await underway; // a save on its way would look like somebody else's
  saving = true;
  const upTo = dirty;
  try {
    const { status, body } = await post("publish", { version, page: page() });
    button.disabled = saving = false;
    if (status === 409) await conflict(body);
    else if (status === 422) { version = body.version; dirty = 0; refuse(body.messages); draw.now(); }
    else if (status === 200) {
      settled(body, upTo);
      say(`Published as revision ${body.number}`);
      document.dispatchEvent(new CustomEvent("published", { detail: body }));
    } else refuse([body.message]);
  } catch {
    button.disabled = saving = false;
    refuse(["The network is away. Nothing was published; your changes are kept here."]);
  }
});

find("unpublish")?.addEventListener("click", async () => {
  if (!confirm("Take the landing page offline? Shoppers then read “coming soon”; your products stay.")) return;
  const { status, body } = await post("unpublish", {});
  if (status === 200) show(body.state);
});

function refuse(messages) {
  const box = find("refusal");
  box.hidden = !messages.length;
  box.replaceChildren();
  if (!messages.length) return;
  box.append(make("strong", { textContent: "Not published yet. Please put this right:" }), make("ul", {}, ...messages.map((text) => make("li", { textContent: text }))));
  box.focus();
}

for (const button of document.querySelectorAll("[data-open]")) button.addEventListener("click", () => openDialog(button.dataset.open));
for (const button of document.querySelectorAll("[data-dialog=picker] [data-kind]")) {
  button.addEventListener("click", () => {
    button.closest("dialog").close();
    const card = cards.add({ id: crypto.randomUUID(), kind: button.dataset.kind, hidden: false, ...defaults(button.dataset.kind) }, cards.opened());
    card.querySelector("[data-body] input:not([type=hidden]), [data-body] textarea")?.focus();
  });
}

function defaults(kind) {
  return kind === "product_grid" ? { limit: 8, sort: "position" } : {};
}

for (const button of document.querySelectorAll("[data-preset]")) {
  button.addEventListener("click", () => {
    const tokens = JSON.parse(button.nextElementSibling.textContent);
    mount(fresh("theme"), { ...read(panels.theme), ...tokens }, changed);
    say(`${button.textContent.trim()} chosen`);
    changed();
  });
}

cards.listen(changed, (id) => preview.scrollTo(id));
addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
document.addEventListener("visibilitychange", () => { if (document.hidden && dirty) save.now(); });

fill(start.page);
show(start.state);
draw.now();
