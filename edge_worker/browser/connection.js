// What the page says about its connection: nothing while all is well, and never more than a line.
import { h, say } from "./dom.js";

const PATIENCE_MS = 2500; // a reconnection that is over before is nobody's concern

export class ConnectionNote {
  #pill = h("p", { class: "connection", role: "status", hidden: true });
  #t;
  #timer;
  #state = "connecting";
  #wasLive = false;

  constructor(t) {
    this.#t = t;
    document.body.append(this.#pill);
    const savedAt = document.documentElement.dataset.savedAt;
    if (savedAt) this.#show(t("saved_page", { date: when(savedAt) }));
  }

  get live() {
    return this.#state === "live";
  }

  /** A line for the cart: what has become of its changes. */
  line(settled) {
    if (this.#state === "offline") return this.#t("offline");
    if (settled) return this.#wasLive ? this.#t("saved") : "";
    return this.#state === "live" ? this.#t("saving") : this.#t("saved_here");
  }

  tell(state) {
    this.#state = state;
    clearTimeout(this.#timer);
    if (state === "live") {
      this.#wasLive = true;
      return this.#show("");
    }
    if (document.documentElement.dataset.savedAt) return undefined;
    if (state === "offline") return this.#show(this.#t("offline"));
    // A network that lets no websocket through costs the page its live prices only: no word about that.
    if (this.#wasLive) this.#timer = setTimeout(() => this.#show(this.#t("reconnecting")), PATIENCE_MS);
    return undefined;
  }

  #show(text) {
    this.#pill.hidden = !text;
    say(this.#pill, text);
  }
}

function when(time) {
  return new Date(time).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}
