// Server-sent events out of a response's body. EventSource can't POST, and reconnects on its own: an answer must not.

const MOST = 1_000_000; // characters of one event: whatever sends more is not the shop's chat

/** Takes text split anywhere, also within a line end; gives each event once its blank line is there. */
export class EventParser {
  #rest = "";
  #name = "";
  #data = [];

  /** @returns {{name: string, data: string}[]} the events that `text` completes */
  push(text) {
    const whole = this.#rest + text;
    if (whole.length > MOST) throw new Error("an event is too long");
    const held = whole.endsWith("\r") ? 1 : 0; // its \n may be still to come
    const lines = whole.slice(0, whole.length - held).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() + (held ? "\r" : "");
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line) {
    if (line) return this.#field(line);
    const event = { name: this.#name || "message", data: this.#data.join("\n") };
    const told = this.#data.length > 0;
    this.#name = "";
    this.#data = [];
    return told ? [event] : [];
  }

  #field(line) {
    const [, name, value] = /^([^:]*):? ?([^]*)$/.exec(line);
    if (name === "event") this.#name = value;
    if (name === "data") this.#data.push(value);
    return []; // comments, ids and what is unknown
  }
}

/** The events of a ReadableStream of bytes, their data read as JSON. Whoever stops iterating ends the request. */
export async function* eventsOf(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const { name, data } of parser.push(decoder.decode(value, { stream: true }))) yield { name, value: JSON.parse(data) };
    }
  } finally {
    reader.cancel().catch(() => {}); // already ended, or aborted
  }
}
