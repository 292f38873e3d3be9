// The browser's pure modules, by Node's own test runner: node --test tests/edge_worker/browser
import assert from "node:assert/strict";
import { test } from "node:test";
import { invitation, lineId, newSecret, readInvitation, roomOf } from "../../../edge_worker/browser/ids.js";
import { allowed, count, describe, overlay, totals } from "../../../edge_worker/browser/lines.js";
import { translator } from "../../../edge_worker/browser/page.js";

const CART = "0190a000-0000-7000-8000-00000000000c";
const mug = { id: "mug", title: "Mug", price: 1250, currency: "EUR", available: true, stock: 3 };
const jug = { id: "jug", title: "Jug", price: 900, currency: "EUR", available: true, stock: null };

test("a line's id is the same on every device and differs by cart and product", () => {
  assert.equal(lineId(CART, "0190a000-0000-7000-8000-000000000001"), "b6f39e1e-7abc-51e6-9004-4bee8f6162e8");
  assert.notEqual(lineId(CART, "a"), lineId(CART, "b"));
});

test("a secret has at least 128 bits and the length that the rules ask for", () => {
  const secrets = new Set(Array.from({ length: 100 }, () => newSecret()));
  assert.equal(secrets.size, 100);
  for (const secret of secrets) assert.match(secret, /^[\w-]{32}$/);
});

test("a room's name does not tell the secret", async () => {
  const secret = newSecret();
  const room = await roomOf(secret);
  assert.match(room, /^[\w-]{43}$/);
  assert.equal(room, await roomOf(secret));
  assert.ok(!room.includes(secret));
});

test("an invitation comes back as it was made, and anything else is none", () => {
  const secret = newSecret();
  assert.deepEqual(readInvitation(invitation(CART, secret)), { cartId: CART, secret });
  for (const other of ["", "#", "#main", `#cart=${CART}.short`, `#cart=zzz.${secret}`, `#cart=${CART}.${secret}&x=1`]) {
    assert.equal(readInvitation(other), null, other);
  }
});

test("a quantity is whole, not negative and never more than there are", () => {
  assert.deepEqual([allowed(2.9, jug), allowed(-1, jug), allowed("x", jug), allowed(5000, jug)], [2, 0, 0, 999]);
  assert.deepEqual([allowed(5, mug), allowed(5, { ...mug, available: false }), allowed(5, undefined)], [3, 0, 5]);
});

const find = (products) => (id) => products[id] ?? { state: "unknown" };

test("the total counts what can be bought, at the live price", () => {
  const lines = { mug: { quantity: 2, addedAt: 2 }, jug: { quantity: 1, addedAt: 1 }, pot: { quantity: 9, addedAt: 3 } };
  const products = { mug: { product: mug, state: "live" }, jug: { product: jug, state: "saved" } };
  const described = describe(lines, find(products));
  assert.deepEqual(described.map((line) => line.id), ["jug", "mug", "pot"]);
  assert.deepEqual([...totals(described)], [["EUR", 3400]]);
  assert.equal(count(lines), 12);
});

test("a line says what became of its product", () => {
  const lines = { mug: { quantity: 3, addedAt: 1 } };
  const note = (product, state, remembered) => describe(lines, find({ mug: { product, state } }), { mug: remembered })[0].note;
  assert.equal(note(mug, "live", { price: 1250 }), null);
  assert.deepEqual(note({ ...mug, price: 1300 }, "live", { price: 1250 }), { kind: "price", was: 1250 });
  assert.deepEqual(note({ ...mug, stock: 2 }, "live", {}), { kind: "less_stock", wanted: 3, count: 2 });
  assert.deepEqual(note({ ...mug, available: false }, "live", {}), { kind: "sold_out" });
  assert.deepEqual(note(mug, "gone", {}), { kind: "withdrawn" });
  assert.equal(note({ ...mug, stock: 9 }, "live", { wanted: 5 }), null); // there are enough again
});

test("what can't be bought does not count towards the total", () => {
  const lines = { mug: { quantity: 3, addedAt: 1 } };
  for (const verdict of [{ product: { ...mug, available: false }, state: "live" }, { product: mug, state: "gone" }]) {
    assert.deepEqual([...totals(describe(lines, find({ mug: verdict })))], []);
  }
});

test("two currencies are never added up", () => {
  const lines = { mug: { quantity: 1, addedAt: 1 }, jug: { quantity: 1, addedAt: 2 } };
  const products = { mug: { product: mug, state: "live" }, jug: { product: { ...jug, currency: "JPY" }, state: "live" } };
  assert.deepEqual([...totals(describe(lines, find(products)))], [["EUR", 1250], ["JPY", 900]]);
});

test("what is unsent lies on top of what the server holds", () => {
  const server = { a: { quantity: 1, addedAt: 1 }, b: { quantity: 2, addedAt: 2 } };
  const unsent = { a: { quantity: 5, addedAt: 9 }, b: { quantity: 0, addedAt: 2 }, c: { quantity: 1, addedAt: 9 } };
  assert.deepEqual(overlay(server, unsent), { a: { quantity: 5, addedAt: 1 }, c: { quantity: 1, addedAt: 9 } });
  assert.deepEqual(server.b, { quantity: 2, addedAt: 2 });
});

test("words are filled in, one has its own form, and a value is never read as a pattern", () => {
  const t = translator({ left: "{count} of {title}", left_one: "one of {title}" });
  assert.equal(t("left", { count: 2, title: "$& {count}" }), "2 of $& {count}");
  assert.equal(t("left", { count: 1, title: "x" }), "one of x");
});
