// Carries the cart between this device and Instant: what the server says comes in, what is unsent goes out.
//
// A line is written as a whole, absolute and under an id that every device computes alike, so that it may be sent
// twice. Instant's own queue of writes is not used across pages: it forgets one that a dying server never answered.
import { lineId } from "./ids.js";
import * as keep from "./keep.js";

const RETRY_MS = 2000;
const TIMED_OUT = /timed out/; // the client says so of a write that got no answer; all else is the server's verdict

export class CartSync {
  #db;
  #cart;
  #tenant;
  #live = false;
  #server = null; // the lines the server holds of the followed cart; null until it has said so on this connection
  #followed = null; // {id, secret, stop}
  #tell;

  /** @param {(event: "refused" | "ended" | "failed", details?: object) => void} tell */
  constructor(db, cart, tenant, tell) {
    this.#db = db;
    this.#cart = cart;
    this.#tenant = tenant;
    this.#tell = tell;
    cart.onChange(() => this.#check());
    this.#check();
  }

  /** Whether all of the cart in use is at the server. */
  get settled() {
    const cart = this.#cart.active;
    return !cart || (!Object.keys(cart.unsent).length && !cart.secretUnsent);
  }

  connection(state) {
    this.#live = state === "live";
    this.#delay = RETRY_MS;
    if (this.#live) this.#push();
  }

  #check() {
    this.#follow(this.#cart.active);
    this.#push();
  }

  #follow(cart) {
    const { joined } = this.#cart.state;
    const { id, created, ended } = cart ?? {};
    const share = joined?.secret;
    // A cart that only this device knows has nothing to follow.
    const wanted = (joined && !ended) || created ? `${id}.${share ?? ""}` : null;
    if (wanted === (this.#followed?.key ?? null)) return;
    this.#followed?.stop();
    this.#followed = null;
    this.#server = null;
    if (!wanted) return;
    const query = { carts: { $: { where: { id, tenantId: this.#tenant } }, items: {} } };
    const take = ({ data }) => data && this.#followed?.key === wanted && this.#receive(id, data.carts[0]);
    this.#followed = { key: wanted, stop: () => {} };
    this.#followed.stop = this.#db.subscribeQuery(query, take, share ? { ruleParams: { share } } : undefined);
  }

  #receive(id, found) {
    if (!found) return this.#missing(id);
    this.#server = Object.fromEntries(
      found.items.map(({ productId, quantity, addedAt }) => [productId, { quantity, addedAt: +new Date(addedAt) }]),
    );
    this.#cart.receive(id, this.#server);
    this.#push();
  }

  #missing(id) {
    const { own, joined } = this.#cart.state;
    if (joined?.id === id) {
      this.#cart.end();
      this.#tell("ended", { seen: joined.seen });
    } else if (own?.id === id && own.created) {
      this.#cart.renew(); // the app was wiped, or its guest forgotten: what is here is the cart
    }
  }

  #pushing = null;
  #retry = null;
  #delay = RETRY_MS;

  async #push() {
    if (!this.#live || this.#pushing || this.settled) return;
    clearTimeout(this.#retry);
    this.#pushing = keep.alone("cart", () => this.#send());
    try {
      await this.#pushing;
      this.#delay = RETRY_MS;
    } catch (error) {
      if (error.refused) this.#tell("failed");
      this.#retry = setTimeout(() => this.#push(), this.#delay);
      this.#delay = Math.min(this.#delay * 2, 60_000);
      return;
    } finally {
      this.#pushing = null;
    }
    this.#push(); // for what was changed meanwhile
  }

  /** Sends what is unsent of the cart in use. Throws where it should be tried again later. */
  async #send() {
    const { joined } = this.#cart.state;
    if (joined) return joined.ended ? this.#abandon(joined) : this.#sendLines(joined, this.#server);
    const isNew = await this.#introduce();
    const own = this.#cart.state.own;
    if (own.secretUnsent) await this.#sendSecret(own);
    await this.#sendLines(own, this.#server ?? (isNew ? {} : null));
  }

  /** Makes the guest and the cart, once there is something to put in it. Whether the cart is new. */
  async #introduce() {
    const user = await keep.alone("guest", () => this.#guest());
    const { own } = this.#cart.state;
    if (own.ownerId && own.ownerId !== user.id) this.#cart.renew({ ownerId: user.id });
    const cart = this.#cart.state.own;
    if (cart.created) return false;
    const { id, createdAt } = cart;
    await this.#transact([this.#db.tx.carts[id].update({ tenantId: this.#tenant, ownerId: user.id, createdAt })]);
    this.#cart.note({ ownerId: user.id, created: true });
    return true;
  }

  async #guest() {
    return (await this.#db.getAuth()) ?? (await this.#db.auth.signInAsGuest()).user;
  }

  async #sendSecret({ id, secret }) {
    await this.#transact([this.#db.tx.carts[id].update({ shareSecret: secret })]);
    if (this.#cart.state.own.secret === secret) this.#cart.note({ secretUnsent: false });
  }

  async #sendLines(cart, server) {
    if (!server) throw new Error("what the server holds is not known yet");
    const lines = { ...cart.unsent };
    if (!Object.keys(lines).length) return;
    try {
      await this.#transact(Object.entries(lines).flatMap(([id, line]) => this.#steps(cart, id, line, id in server)));
      this.#cart.sent(cart.id, lines);
    } catch (error) {
      if (!error.refused) throw error;
      await this.#sendOneByOne(cart, lines, server);
    }
  }

  /** A transaction is all or nothing: finds the line that spoils it, and takes back that one only. */
  async #sendOneByOne(cart, lines, server) {
    for (const [id, line] of Object.entries(lines)) {
      try {
        await this.#transact(this.#steps(cart, id, line, id in server));
        this.#cart.sent(cart.id, { [id]: line });
      } catch (error) {
        if (!error.refused) throw error;
        this.#cart.refused(cart.id, { [id]: line }, this.#server ?? server);
        this.#tell("refused", { productId: id });
      }
    }
  }

  #steps(cart, productId, { quantity, addedAt }, known) {
    const { tx } = this.#db;
    const share = this.#cart.state.joined && cart.secret;
    const line = share
      ? tx.cartItems[lineId(cart.id, productId)].ruleParams({ share })
      : tx.cartItems[lineId(cart.id, productId)];
    if (!quantity) return known ? [line.delete()] : [];
    if (known) return [line.update({ quantity })];
    const made = line.update({ productId, quantity, addedAt }).link({ cart: cart.id });
    return share ? [tx.carts[cart.id].ruleParams({ share }), made] : [made];
  }

  /** Sharing has ended: what was still to be sent stays in the copy that the shopper may keep. */
  #abandon({ id, unsent }) {
    this.#cart.sent(id, unsent);
  }

  async #transact(steps) {
    if (!steps.length) return;
    let answer;
    try {
      answer = await this.#db.transact(steps);
    } catch (error) {
      throw Object.assign(new Error(error.message), { refused: !TIMED_OUT.test(error.message) });
    }
    if (answer.status !== "synced") throw new Error("not sent: the connection has gone");
  }
}
