// The cart on one device and what its sync makes of a server's answers, without a browser.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const stored = new Map();
globalThis.localStorage = {
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => stored.set(key, value),
  removeItem: (key) => stored.delete(key),
};
globalThis.addEventListener = () => {};
const { Cart } = await import("../../../edge_worker/browser/cart.js");
const { CartSync } = await import("../../../edge_worker/browser/cart_sync.js");

const { lineId } = await import("../../../edge_worker/browser/ids.js");

const SHARED = "0190a000-0000-7000-8000-00000000000c";
const mug = { id: "0190a000-0000-7000-8000-000000000001", title: "Mug", price: 1250, currency: "EUR", available: true, stock: 3 };
const jug = { ...mug, id: "0190a000-0000-7000-8000-000000000002", title: "Jug", stock: null };

beforeEach(() => stored.clear());

/** An Instant of one guest: keeps what is written, refuses or drops what it is told to. */
class Server {
  carts = new Map();
  lines = new Map();
  answers = [];
  subscribers = new Set();
  guests = 0;
  #user = null;

  getAuth = async () => this.#user;
  auth = { signInAsGuest: async () => ({ user: (this.#user = { id: `guest-${++this.guests}` }) }) };
  forgetGuest() {
    this.#user = null;
  }

  tx = new Proxy({}, { get: (_, etype) => new Proxy({}, { get: (_, id) => step(etype, id) }) });

  async transact(steps) {
    const answer = this.answers.shift();
    if (answer) throw new Error(answer);
    for (const { etype, id, written, linked, removed } of steps) {
      const table = etype === "carts" ? this.carts : this.lines;
      if (removed) table.delete(id);
      else if (written) table.set(id, { ...table.get(id), ...written, ...linked });
    }
    this.push();
    return { status: "synced" };
  }

  subscribeQuery(query, callback, options) {
    const subscriber = { id: query.carts.$.where.id, share: options?.ruleParams?.share, callback };
    this.subscribers.add(subscriber);
    queueMicrotask(() => this.#tell(subscriber));
    return () => this.subscribers.delete(subscriber);
  }

  push() {
    for (const subscriber of this.subscribers) this.#tell(subscriber);
  }

  #tell({ id, share, callback }) {
    const cart = this.carts.get(id);
    const seen = cart && (share ? cart.shareSecret === share : cart.ownerId === this.#user?.id);
    const items = [...this.lines.values()].filter((line) => line.cart === id);
    callback({ data: { carts: seen ? [{ id, ...cart, items }] : [] } });
  }
}

function step(etype, id, made = {}) {
  const next = (more) => step(etype, id, { ...made, ...more });
  return {
    etype, id, ...made,
    update: (written) => next({ written }), link: (linked) => next({ linked }), delete: () => next({ removed: true }),
    ruleParams: () => next({}),
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

function shopper(server, told = []) {
  const cart = new Cart("tenant");
  const sync = new CartSync(server, cart, "tenant", (event, details) => told.push([event, details]));
  return { cart, sync, told };
}

const quantities = (server) => [...server.lines.values()].map((line) => line.quantity).sort();

test("nobody becomes a guest before there is something to keep", async () => {
  const server = new Server();
  const { sync } = shopper(server);
  sync.connection("live");
  await settle();
  assert.equal(server.guests, 0);
  assert.equal(server.subscribers.size, 0);
});

test("what was added before there was a connection is sent when there is one", async () => {
  const server = new Server();
  const { cart, sync } = shopper(server);
  assert.equal(cart.add(mug.id, 5, mug), 3); // there are three
  assert.equal(server.carts.size, 0);
  sync.connection("live");
  await settle();
  assert.deepEqual([...server.carts.values()].map((one) => [one.tenantId, one.ownerId]), [["tenant", "guest-1"]]);
  assert.deepEqual(quantities(server), [3]);
  assert.ok(sync.settled);
});

test("a line that the server refuses goes back, and the others stay", async () => {
  const server = new Server();
  const { cart, sync, told } = shopper(server);
  cart.add(mug.id, 1, mug);
  sync.connection("live");
  await settle();
  server.answers = ["Permission denied: not perms-pass?", "Permission denied: not perms-pass?"];
  sync.connection("offline");
  cart.set(mug.id, 2, mug);
  cart.add(jug.id, 1, jug);
  sync.connection("live");
  await settle();
  assert.deepEqual(told, [["refused", { productId: mug.id }]]);
  assert.deepEqual([cart.lines[mug.id].quantity, cart.lines[jug.id].quantity], [1, 1]);
  assert.deepEqual(quantities(server), [1, 1]);
});

test("a write that got no answer is not taken back but sent again", async () => {
  const server = new Server();
  const { cart, sync, told } = shopper(server);
  cart.add(mug.id, 1, mug);
  sync.connection("live");
  await settle();
  server.answers = ["transaction timed out"];
  cart.set(mug.id, 2, mug);
  await settle();
  assert.equal(cart.lines[mug.id].quantity, 2);
  assert.ok(!sync.settled);
  sync.connection("connecting");
  sync.connection("live");
  await settle();
  assert.deepEqual([told, quantities(server), sync.settled], [[], [2], true]);
});

test("somebody else's change comes in under one that is still unsent", async () => {
  const server = new Server();
  const { cart, sync } = shopper(server);
  cart.add(mug.id, 1, mug);
  cart.add(jug.id, 1, jug);
  sync.connection("live");
  await settle();
  sync.connection("offline");
  cart.set(mug.id, 3, mug);
  for (const line of server.lines.values()) line.quantity = 2;
  server.push();
  assert.deepEqual([cart.lines[mug.id].quantity, cart.lines[jug.id].quantity], [3, 2]);
});

test("a line that another device removed is gone here too, a removal made here stays one", async () => {
  const server = new Server();
  const { cart, sync } = shopper(server);
  cart.add(mug.id, 1, mug);
  cart.add(jug.id, 1, jug);
  sync.connection("live");
  await settle();
  server.lines.delete([...server.lines].find(([, line]) => line.productId === mug.id)[0]);
  server.push();
  assert.deepEqual(Object.keys(cart.lines), [jug.id]);
  cart.set(jug.id, 0);
  await settle();
  assert.deepEqual([Object.keys(cart.lines), server.lines.size], [[], 0]);
});

test("a cart that the server has forgotten is made anew from this device", async () => {
  const server = new Server();
  const { cart, sync } = shopper(server);
  cart.add(mug.id, 2, mug);
  sync.connection("live");
  await settle();
  server.carts.clear();
  server.lines.clear();
  server.forgetGuest();
  server.push();
  await settle();
  assert.deepEqual([...server.carts.values()].map((one) => one.ownerId), ["guest-2"]);
  assert.deepEqual(quantities(server), [2]);
});

test("a shared cart is followed with its secret and is over when the secret changes", async () => {
  const server = new Server();
  const { cart, sync, told } = shopper(server);
  server.carts.set(SHARED, { tenantId: "tenant", ownerId: "other", shareSecret: "s" });
  server.lines.set(lineId(SHARED, mug.id), { cart: SHARED, productId: mug.id, quantity: 1, addedAt: 1 });
  sync.connection("live");
  cart.join({ cartId: SHARED, secret: "s" });
  await settle();
  assert.equal(cart.lines[mug.id].quantity, 1);
  cart.set(mug.id, 2, mug);
  await settle();
  assert.deepEqual([quantities(server), server.guests], [[2], 0]); // the secret is enough
  server.carts.get(SHARED).shareSecret = null;
  server.push();
  assert.deepEqual(told, [["ended", { seen: true }]]);
  cart.leave(true);
  assert.deepEqual([cart.state.joined, cart.lines[mug.id].quantity], [null, 2]);
});

test("another shop's cart is not touched", () => {
  const here = new Cart("tenant");
  const there = new Cart("other tenant");
  here.add(mug.id, 1, mug);
  assert.deepEqual([here.count, there.count], [1, 0]);
});
