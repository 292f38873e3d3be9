// The products that a page shows or its cart holds, live from Instant and at once from IndexedDB on a later visit.

const FIELDS = [
  "tenantId", "slug", "title", "price", "currency", "compareAtPrice", "imageUrl", "imageAlt", "stock", "available", "updatedAt",
];

// How much a state is worth: never from one to a lesser one. "old" is what an earlier page or a saved copy of this one
// showed, "saved" what IndexedDB holds, "page" what the server has just rendered; "live" and "gone" are Instant's own
// word in this visit. So yesterday's price never covers today's.
const WORTH = { old: 1, saved: 2, page: 3, live: 4, gone: 4 };

export class Products {
  #db;
  #tenant;
  #known = new Map(); // id → {product, state}
  #watches = new Map(); // name → {key, stop}
  #listeners = new Set();

  /** @param db null where the shop has no Instant app: then pages alone say what there is */
  constructor(db, tenant) {
    this.#db = db;
    this.#tenant = tenant;
  }

  /** @returns {{product?: object, state: "old" | "saved" | "page" | "live" | "gone" | "unknown"}} */
  find = (id) => this.#known.get(id) ?? { state: "unknown" };

  /** Calls back with the ids whose product or state has changed. */
  onChange(callback) {
    this.#listeners.add(callback);
  }

  /** What a page says of a product: "page" of one that has just been rendered, "old" of any other. */
  remember(product, state) {
    this.#learn(new Map([[product.id, { product, state }]]));
  }

  /** Follows these ids, in the place of those that `name` followed before. */
  watch(name, ids) {
    if (!this.#db) return;
    const wanted = [...new Set(ids)].sort();
    const key = wanted.join();
    if (this.#watches.get(name)?.key === key) return;
    const before = this.#watches.get(name);
    this.#watches.set(name, { key, stop: wanted.length ? this.#subscribe(wanted) : () => {} });
    before?.stop(); // after the new one is there: what both follow stays followed
  }

  #subscribe(ids) {
    const query = { products: { $: { where: { tenantId: this.#tenant, id: { $in: ids } }, fields: FIELDS } } };
    let confirmed = false;
    let latest = null;
    const take = ({ data }) => {
      if (!data) return; // an error: what is known stays
      latest = data.products.filter((product) => product.tenantId === this.#tenant);
      this.#learn(this.#verdicts(ids, latest, confirmed));
    };
    const stop = this.#db.subscribeQuery(query, take);
    // The first answer may be IndexedDB's, and where the server agrees with it no second one comes: ask once aloud.
    let stopped = false;
    const confirm = () =>
      this.#db.queryOnce(query).then(
        (answer) => {
          confirmed = true;
          if (!stopped) take(answer);
        },
        () => stopped || setTimeout(() => stopped || confirmed || confirm(), 5000),
      );
    confirm();
    return () => {
      stopped = true;
      stop();
    };
  }

  #verdicts(ids, products, confirmed) {
    const verdicts = new Map(products.map((product) => [product.id, { product, state: confirmed ? "live" : "saved" }]));
    for (const id of ids) {
      if (verdicts.has(id) || !confirmed) continue; // IndexedDB may simply not have met a product yet
      verdicts.set(id, { product: this.#known.get(id)?.product, state: "gone" });
    }
    return verdicts;
  }

  #learn(verdicts) {
    const changed = [];
    for (const [id, verdict] of verdicts) {
      const known = this.#known.get(id);
      if (known && WORTH[verdict.state] < WORTH[known.state]) continue;
      if (JSON.stringify(known) === JSON.stringify(verdict)) continue;
      this.#known.set(id, verdict);
      changed.push(id);
    }
    if (changed.length) for (const callback of this.#listeners) callback(changed);
  }
}
