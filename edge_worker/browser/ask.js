// One question to the shop's chat: tells the answer's events until it ends, is stopped or fails.
import { eventsOf } from "./sse.js";

const SILENCE_MS = 45_000; // no event for so long, and nothing more will come
const KNOWN = new Set(["too_many", "too_large", "too_many_turns", "chat_off"]);

/** Why there is no answer; `code` names a word of messages_live.py: chat_error_{code}. */
export class AskError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @param {string} body see conversation.js
 * @param {(name: string, value: any) => void} tell called with each event of chat_api.py
 * @param {AbortSignal} stopped
 * @throws {AskError} once it has failed; returns at once where `stopped`
 */
export async function ask(body, tell, stopped) {
  const silence = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    heard();
    const signal = AbortSignal.any ? AbortSignal.any([stopped, silence.signal]) : stopped;
    const answer = await fetch("/api/chat", { method: "POST", headers: { "content-type": "application/json" }, body, signal });
    if (!answer.ok) throw new AskError(await refusal(answer));
    for await (const { name, value } of eventsOf(answer.body)) {
      heard();
      if (name === "error") throw new AskError("failed");
      tell(name, value);
      if (name === "done") return;
    }
    throw new AskError("broken"); // the connection ended before the answer did
  } catch (error) {
    if (stopped.aborted) return;
    throw error instanceof AskError ? error : new AskError(error instanceof TypeError ? "offline" : "failed");
  } finally {
    clearTimeout(timer);
  }
}

async function refusal(answer) {
  const { code } = await answer.json().catch(() => ({}));
  return KNOWN.has(code) ? code : "failed";
}

/** Tells the shop what its answer was worth: 1 or -1. */
export async function rate(turn, value) {
  const body = JSON.stringify({ turn, value });
  const answer = await fetch("/api/chat/rating", { method: "POST", headers: { "content-type": "application/json" }, body });
  if (!answer.ok) throw new AskError("failed");
}
