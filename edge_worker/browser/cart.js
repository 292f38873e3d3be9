// The shopper's cart on this device. It is the cart: Instant carries it to other devices (cart_sync.js), so that it is
// there at once, survives a reload, and works offline and for someone who has never signed in.
import { v4 } from "uuid";
import * as keep from "./keep.js";
import { allowed, count, overlay } from "./lines.js";

const EMPTY = { own: null, joined: null, remembered: {} };

export class Cart {
  #key;
  #listeners = new Set();

  /** @param {string} tenant the host's; a cart never leaves it */
  constructor(tenant) {
    this.#key = `cart:${tenant}`;
    keep.onOtherTab(this.#key, () => this.#tell());
  }

  get state() {
    return { ...EMPTY, ...keep.read(this.#key) };
  }

  /** The cart that is shown: the one that was joined, else the shopper's own, else null. */
  get active() {
    const { own, joined } = this.state;
    return joined ?? own;
  }

  get lines() {
    return this.active?.lines ?? {};
  }

  get remembered() {
    return this.state.remembered;
  }

  get count() {
    return count(this.lines);
  }

  onChange(callback) {
    this.#listeners.add(callback);
  }

  /**
   * Sets how many of a product are wanted, 0 for none; never more than there are. Returns the quantity taken.
   * `addedAt` puts a line that was removed by mistake back where it was.
   */
  set(productId, quantity, product, addedAt = Date.now()) {
    const taken = allowed(quantity, product);
    this.#change((state) => {
      const cart = state.joined ?? (state.own ??= newCart());
      const line = { quantity: taken, addedAt: cart.lines[productId]?.addedAt ?? addedAt };
      cart.unsent[productId] = line;
      cart.lines = overlay(cart.lines, { [productId]: line });
      remember(state, productId, taken, product);
    });
    return taken;
  }

  add(productId, quantity, product) {
    const before = this.lines[productId]?.quantity ?? 0;
    return this.set(productId, before + quantity, product) - before;
  }

  /** Keeps what this device has just seen of the products in the cart, and the price at which each came into it. */
  see(productId, product, { wanted, price } = {}) {
    const known = this.remembered[productId];
    const next = { price: price ?? known?.price ?? product.price, wanted: wanted ?? known?.wanted, product };
    if (JSON.stringify(known) === JSON.stringify(next)) return;
    this.#change((state) => (state.remembered[productId] = next));
  }

  /** Takes what the server holds of a cart; what is still unsent stays on top. */
  receive(cartId, server) {
    this.#change((state) => {
      const cart = which(state, cartId);
      if (!cart) return;
      cart.lines = overlay(server, cart.unsent);
      if (cart === state.joined) cart.seen = true;
    });
  }

  /** The server has these lines now; one that was changed again meanwhile stays unsent. */
  sent(cartId, lines) {
    this.#change((state) => {
      const cart = which(state, cartId);
      for (const [id, line] of Object.entries(lines)) {
        if (cart?.unsent[id]?.quantity === line.quantity) delete cart.unsent[id];
      }
    });
  }

  /** The server refused these lines: they are again what it holds. */
  refused(cartId, lines, server) {
    this.#change((state) => {
      const cart = which(state, cartId);
      if (!cart) return;
      for (const [id, line] of Object.entries(lines)) {
        if (cart.unsent[id]?.quantity === line.quantity) delete cart.unsent[id];
      }
      cart.lines = overlay(server, cart.unsent);
    });
  }

  /** Notes facts about the shopper's own cart: `ownerId`, `created`, `secret`, `secretUnsent`. */
  note(facts) {
    this.#change((state) => Object.assign((state.own ??= newCart()), facts));
  }

  /** The own cart under a new id, all of it unsent: its guest, or the server's copy, is no more. */
  renew(facts = {}) {
    this.#change((state) => {
      const { lines } = state.own ?? newCart();
      state.own = { ...newCart(), lines, unsent: { ...lines }, ...facts };
    });
  }

  join({ cartId, secret }) {
    this.#change((state) => {
      if (state.own?.id === cartId || state.joined?.id === cartId) return;
      state.joined = { id: cartId, secret, lines: {}, unsent: {}, seen: false, ended: false };
    });
  }

  /** The server shows a joined cart no more: sharing has ended, or its link never worked. */
  end() {
    this.#change((state) => {
      if (state.joined) state.joined.ended = true;
    });
  }

  /** Leaves the joined cart; with `keepCopy` its lines are added to the shopper's own. */
  leave(keepCopy) {
    this.#change((state) => {
      const lines = keepCopy ? (state.joined?.lines ?? {}) : {};
      state.joined = null;
      if (!Object.keys(lines).length) return;
      state.own ??= newCart();
      Object.assign(state.own.unsent, lines);
      state.own.lines = overlay(state.own.lines, lines);
    });
  }

  #change(edit) {
    const before = JSON.stringify(this.state);
    const state = JSON.parse(before);
    edit(state);
    forget(state);
    if (JSON.stringify(state) === before) return;
    keep.write(this.#key, state);
    this.#tell();
  }

  #tell() {
    for (const callback of this.#listeners) callback(this);
  }
}

function newCart() {
  const createdAt = Date.now();
  return { id: v4(), ownerId: null, created: false, createdAt, secret: null, secretUnsent: false, lines: {}, unsent: {} };
}

function which({ own, joined }, id) {
  return [joined, own].find((cart) => cart?.id === id);
}

function remember(state, productId, taken, product) {
  if (!product || !taken) return;
  const price = state.remembered[productId]?.price ?? product.price;
  state.remembered[productId] = { price, product };
}

// Only what is in a cart is remembered.
function forget(state) {
  const held = { ...state.own?.lines, ...state.joined?.lines };
  for (const id of Object.keys(state.remembered)) if (!(id in held)) delete state.remembered[id];
}
