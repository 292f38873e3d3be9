// Choosing products: a search among this shop's, and the chosen ones in order.
import { get } from "./api.js";
import { find, iconButton, later, make, newId, say } from "./dom.js";

export const readProducts = (field) => [...find("chosen", field).children].map((item) => item.dataset.id);

export function mountProducts(field, ids, changed) {
  const search = find("search", field), found = find("found", field), chosen = find("chosen", field);
  const most = Number(chosen.dataset.maximum);
  let active = -1;
  found.id = newId();
  search.setAttribute("aria-controls", found.id);

  const close = () => { found.hidden = true; active = -1; search.setAttribute("aria-expanded", "false"); search.removeAttribute("aria-activedescendant"); };
  const refresh = () => { search.disabled = chosen.children.length >= most; };
  const add = ({ id, title, status }) => {
    if (readProducts(field).includes(id) || chosen.children.length >= most) return;
    const up = iconButton("arrow_upward", `Move ${title} up`), down = iconButton("arrow_downward", `Move ${title} down`);
    const remove = iconButton("close", `Remove ${title}`);
    const item = make("li", {}, make("span", { textContent: status === "active" ? title : `${title} (${status}: not shown)` }), up, down, remove);
    item.dataset.id = id;
    up.addEventListener("click", () => { item.previousElementSibling?.before(item); up.focus(); changed(); });
    down.addEventListener("click", () => { item.nextElementSibling?.after(item); down.focus(); changed(); });
    remove.addEventListener("click", () => { item.remove(); refresh(); search.focus(); changed(); });
    chosen.append(item);
    refresh();
  };
  const choose = (product) => { add(product); close(); search.value = ""; say(`${product.title} added`); changed(); };

  const look = later(150, async () => {
    const query = search.value.trim();
    const { products = [] } = await get("products", { q: query });
    if (query !== search.value.trim()) return;
    const taken = readProducts(field);
    const options = products.filter(({ id }) => !taken.includes(id)).map((product) => {
      const option = make("li", { id: newId(), textContent: product.title });
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(product); });
      option.product = product;
      return option;
    });
    if (!options.length) options.push(make("li", { className: "ed-none", textContent: query ? "Nothing found in this shop." : "This shop has no other products." }));
    found.replaceChildren(...options);
    found.hidden = false;
    active = -1;
    search.setAttribute("aria-expanded", "true");
  });
  const mark = (step) => {
    const options = found.querySelectorAll("[role=option]");
    if (!options.length) return;
    options[active]?.setAttribute("aria-selected", "false");
    active = (active + step + options.length) % options.length;
    options[active].setAttribute("aria-selected", "true");
    options[active].scrollIntoView({ block: "nearest" });
    search.setAttribute("aria-activedescendant", options[active].id);
  };

  search.addEventListener("input", look);
  search.addEventListener("focus", look);
  search.addEventListener("blur", close);
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (found.hidden) look.now(); else mark(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = found.querySelectorAll("[role=option]")[Math.max(active, 0)];
      if (option && !found.hidden) choose(option.product);
    } else if (event.key === "Escape") close();
  });

  const wanted = ids ?? [];
  for (const id of wanted) add({ id, title: "…", status: "active" }); // kept, even where the names never come
  if (wanted.length) {
    get("products", { ids: wanted.join(",") }).then(({ products = [] }) => {
      const named = new Map(products.map((product) => [product.id, product]));
      chosen.replaceChildren();
      for (const id of wanted) add(named.get(id) ?? { id, title: "A product that is gone", status: "deleted" });
    });
  }
}
