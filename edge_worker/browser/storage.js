// Where the Instant client keeps what it knows: IndexedDB, or memory where the browser has none or takes no more.
import { IndexedDBStorage, StoreInterface } from "@instantdb/core";
import * as keep from "./keep.js";

const UNSENT = "pendingMutations";
const PATIENCE_MS = 3000; // some private windows neither open IndexedDB nor refuse to

export class Storage extends StoreInterface {
  #memory = new Map();
  #database;
  #name;

  constructor(appId, name) {
    super(appId, name);
    this.#name = name;
    this.#database = opened(new IndexedDBStorage(appId, name));
  }

  async getItem(key) {
    if (key === UNSENT) return []; // "none", where nothing at all would keep stored answers from being shown
    if (this.#memory.has(key)) return this.#memory.get(key);
    const found = await this.#ask((database) => database.getItem(key));
    return found ?? (this.#isSession(key) ? keep.read("instant-session") : null);
  }

  async setItem(key, value) {
    await this.multiSet([[key, value]]);
  }

  async multiSet(pairs) {
    const kept = pairs.filter(([key, value]) => !isOurs(key, value));
    if (!kept.length) return;
    const done = await this.#ask((database) => database.multiSet(kept).then(() => true));
    for (const [key, value] of kept) {
      if (done) this.#memory.delete(key);
      else this.#memory.set(key, value);
      if (!done && this.#isSession(key)) keep.write("instant-session", value);
    }
  }

  async removeItem(key) {
    this.#memory.delete(key);
    await this.#ask((database) => database.removeItem(key));
  }

  async getAllKeys() {
    const stored = (await this.#ask((database) => database.getAllKeys())) ?? [];
    return [...new Set([...stored, ...this.#memory.keys()])];
  }

  /** The answer, or undefined where the database has none: Instant then goes on with what is in memory. */
  async #ask(question) {
    try {
      const database = await this.#database;
      return database && (await question(database));
    } catch {
      return undefined; // QuotaExceededError, a database deleted under our feet …
    }
  }

  #isSession(key) {
    return this.#name === "kv" && key === "currentUser";
  }
}

// cart.js keeps the cart itself: two memories of one cart, one per tab and one for all, would disagree after a crash.
function isOurs(key, value) {
  return key === UNSENT || Boolean(value?.q?.carts);
}

async function opened(storage) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  try {
    return await Promise.race([storage.getAllKeys().then(() => storage), late]);
  } catch {
    return null;
  }
}
