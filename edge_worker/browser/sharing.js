// Sharing a cart: by a link, by a code for the shopper's own phone, and who else is there.
import { h, icon } from "./dom.js";
import { invitation, newSecret, readInvitation, roomOf } from "./ids.js";

export class Sharing {
  #shop;
  #room = null;
  #others = 0;

  /** @param shop {cart, t, toasts, note, db}; `db` is null where the shop has no Instant app */
  constructor(shop) {
    this.#shop = shop;
  }

  /** Joins the cart that this page's address invites to. The secret leaves the address bar and the history. */
  acceptInvitation() {
    const invited = readInvitation(location.hash);
    if (!invited) return false;
    history.replaceState(history.state, "", location.pathname + location.search);
    const { cart, t, toasts } = this.#shop;
    cart.join(invited);
    if (cart.state.joined) toasts.show(t("joined"));
    return true;
  }

  /** The buttons that begin sharing. */
  actions() {
    const { t, db } = this.#shop;
    if (!db) return null;
    const button = (name, glyph, purpose) =>
      h("button", { type: "button", class: "quiet-button", onclick: () => this.#open(purpose) }, icon(glyph), t(name));
    return h("p", { class: "cart-actions" }, button("phone", "phone", "phone"), button("share", "share", "share"));
  }

  /** What there is to say of the cart's sharing; call `update(banner)` at every change. */
  banner() {
    return h("div", { class: "sharing", hidden: true });
  }

  update(banner) {
    const { cart, t } = this.#shop;
    const { own, joined } = cart.state;
    const key = JSON.stringify([joined?.ended, joined?.seen, Boolean(joined), Boolean(own?.secret), this.#others]);
    if (banner.dataset.key === key) return;
    banner.dataset.key = key;
    banner.hidden = !joined && !own?.secret;
    if (banner.hidden) return;
    if (joined?.ended) return this.#sayEnded(banner, joined);
    const head = h("p", { class: "sharing__head" }, t(joined ? "shared_with_you" : "shared_by_you"));
    const here = h("p", { class: "sharing__here", role: "status" });
    here.append(...Array.from({ length: Math.min(this.#others, 5) }, () => h("span", { class: "sharing__dot" })));
    here.append(this.#others ? t("others_here", { count: this.#others }) : t("alone_here"));
    const act = joined ? () => cart.leave(false) : () => this.stop();
    const button = h("button", { type: "button", class: "link-button", onclick: act }, t(joined ? "leave" : "stop_sharing"));
    banner.replaceChildren(h("div", {}, head, here), button);
  }

  /** Joins or leaves the room of the cart in use, so that those who share it see each other. */
  async follow(changed) {
    const { cart, db } = this.#shop;
    const { own, joined } = cart.state;
    const secret = joined ? !joined.ended && joined.secret : !own?.secretUnsent && own?.secret;
    if ((this.#room?.secret ?? null) === (secret || null)) return;
    this.#room?.leave();
    this.#room = null;
    this.#others = 0;
    changed();
    if (!secret || !db || !globalThis.crypto?.subtle) return;
    const following = (this.#room = { secret, leave: () => {} });
    const room = db.joinRoom("cart", await roomOf(secret), { initialPresence: { here: true } });
    if (this.#room !== following) return room.leaveRoom();
    const stop = room.subscribePresence({}, ({ peers }) => {
      this.#others = Object.keys(peers ?? {}).length;
      changed();
    });
    following.leave = () => (stop(), room.leaveRoom());
  }

  stop() {
    const { cart, t, toasts, note } = this.#shop;
    cart.note({ secret: null, secretUnsent: true });
    toasts.show(t(note.live ? "stopped" : "stop_pending"));
  }

  #link() {
    const { cart } = this.#shop;
    const { joined } = cart.state;
    if (!joined && !cart.state.own?.secret) cart.note({ secret: newSecret(), secretUnsent: true });
    const { id, secret } = cart.active;
    return `${location.origin}/cart${invitation(id, secret)}`;
  }

  async #open(purpose) {
    const { cart, t, toasts } = this.#shop;
    const { openShareDialog } = await import("./share_dialog.js");
    openShareDialog({ link: this.#link(), purpose, t, toasts, pending: () => Boolean(cart.active.secretUnsent), cart });
  }

  #sayEnded(banner, { seen }) {
    const { cart, t, toasts } = this.#shop;
    const hasLines = Object.keys(cart.lines).length > 0;
    const leave = (keepCopy) => {
      cart.leave(keepCopy);
      if (keepCopy) toasts.show(t("copy_kept"));
    };
    const kind = seen ? "ended" : "ended_unknown";
    const button = (name, keepCopy, style) =>
      h("button", { type: "button", class: style, onclick: () => leave(keepCopy) }, t(name));
    banner.replaceChildren(
      h("div", { role: "alert" }, h("p", { class: "sharing__head" }, t(kind)), h("p", {}, t(`${kind}_text`))),
      h(
        "p",
        { class: "sharing__choices" },
        hasLines && button("keep_copy", true, "button button--small"),
        button(hasLines ? "discard" : "leave", false, "link-button"),
      ),
    );
  }
}
