// A shopper's conversation with a shop: kept in this browser only, for its tabs, and never longer than the chat takes.
import { v4 } from "uuid";
import { onOtherTab, read, write } from "./keep.js";

export const MAX_MESSAGE = 1000; // characters, as chat_api.py counts them: code points
export const MAX_TURNS = 20;
const MAX_BODY = 60_000; // bytes, under the 65,536 that chat_api.py reads
const KEPT_MS = 30 * 24 * 3600 * 1000;

/**
 * A turn: {question, answer, sources, products, followUps, reason, state, error, at, turn?, rating?}; its state is
 * "asked" while its answer is on its way, then "done", "stopped" or "failed" (`error` is then a code).
 */
export class Conversation {
  #key;

  constructor(tenant) {
    this.#key = `chat:${tenant}`;
    this.load();
  }

  load() {
    const kept = read(this.#key);
    const usable = kept && typeof kept.id === "string" && Array.isArray(kept.turns) && Date.now() - kept.at < KEPT_MS;
    this.id = usable ? kept.id : v4();
    // An answer that was on its way when its page went has stopped there.
    this.turns = (usable ? kept.turns : []).map((turn) => (turn.state === "asked" ? { ...turn, state: "failed", error: "broken" } : turn));
  }

  onOtherTab(callback) {
    onOtherTab(this.#key, callback);
  }

  get isFull() {
    return this.turns.length >= MAX_TURNS;
  }

  begin(question) {
    const turn = {
      question, answer: "", sources: [], products: [], followUps: [], reason: "", state: "asked", error: "", at: Date.now(),
    };
    this.turns.push(turn);
    this.save();
    return turn;
  }

  drop(turn) {
    this.turns = this.turns.filter((one) => one !== turn);
    this.save();
  }

  clear() {
    this.id = v4();
    this.turns = [];
    write(this.#key, null);
  }

  save() {
    if (this.turns.length) write(this.#key, { id: this.id, at: Date.now(), turns: this.turns });
  }

  /** The request for the answer to `turn`: with what was said before, as far back as fits. */
  request(turn, lang) {
    const before = this.turns.slice(0, this.turns.indexOf(turn)).filter((one) => one.answer && one.state !== "failed");
    for (let from = 0; ; from += 1) {
      const messages = before.slice(from).flatMap(({ question, answer }) => [
        { role: "user", content: question },
        { role: "assistant", content: answer },
      ]);
      const body = JSON.stringify({ conversation: this.id, messages: [...messages, { role: "user", content: turn.question }], lang });
      if (from >= before.length || new TextEncoder().encode(body).length <= MAX_BODY) return body;
    }
  }
}

/** How many characters of a message are left; less than 0 where it is too long. */
export function left(text) {
  return MAX_MESSAGE - [...text.trim()].length;
}
