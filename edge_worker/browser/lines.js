// What a cart's lines come to: pure functions of the lines, the live products and what this device remembers.

export const MOST = 999; // instant.perms.ts refuses more of one product

/**
 * How many of a product a shopper may have: whole, from 0 to its stock.
 * @param {{available: boolean, stock: number | null} | undefined} product undefined while it is not known
 */
export function allowed(quantity, product) {
  const whole = Math.max(0, Math.min(MOST, Math.floor(Number(quantity)) || 0));
  if (!product) return whole;
  if (!product.available) return 0;
  return product.stock == null ? whole : Math.min(whole, Math.max(0, product.stock));
}

/** The most that can be chosen of a product. */
export function limit(product) {
  return allowed(MOST, product);
}

/**
 * @param {Record<string, {quantity: number, addedAt: number}>} lines by product id
 * @param {(id: string) => {product?: object, state: string}} find see products.js
 * @param {Record<string, {price?: number, wanted?: number}>} remembered what this device saw when a line was added
 * @returns lines in the order they were added, each with its `note` and, where it can be bought, its `amount`
 */
export function describe(lines, find, remembered = {}) {
  return Object.entries(lines)
    .sort(([a, one], [b, other]) => one.addedAt - other.addedAt || (a < b ? -1 : 1))
    .map(([id, line]) => describeLine(id, line, find(id), remembered[id] ?? {}));
}

function describeLine(id, line, { product, state }, { price, wanted }) {
  const base = { id, product, state, quantity: line.quantity, amount: 0, note: null };
  if (state === "gone") return { ...base, note: { kind: "withdrawn" } };
  if (!product) return base;
  if (!product.available || product.stock === 0) return { ...base, note: { kind: "sold_out" } };
  const quantity = allowed(line.quantity, product);
  const asked = Math.max(wanted ?? 0, line.quantity);
  const bought = { ...base, quantity, amount: quantity * product.price };
  if (asked > limit(product)) return { ...bought, note: { kind: "less_stock", wanted: asked, count: quantity } };
  if (price != null && price !== product.price) return { ...bought, note: { kind: "price", was: price } };
  return bought;
}

/** @returns {Map<string, number>} minor units by currency: more than one only while a shop changes its currency. */
export function totals(described) {
  const sums = new Map();
  for (const { product, amount } of described) {
    if (product && amount) sums.set(product.currency, (sums.get(product.currency) ?? 0) + amount);
  }
  return sums;
}

/** How many things are in the cart, for its badge. */
export function count(lines) {
  return Object.values(lines).reduce((sum, line) => sum + line.quantity, 0);
}

/** The server's lines with what this device has still to send on top; a quantity of 0 there is a removal. */
export function overlay(server, unsent) {
  const merged = { ...server };
  for (const [id, { quantity, addedAt }] of Object.entries(unsent)) {
    if (quantity > 0) merged[id] = { quantity, addedAt: server[id]?.addedAt ?? addedAt };
    else delete merged[id];
  }
  return merged;
}
