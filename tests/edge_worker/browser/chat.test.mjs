// The chat's pure modules: the reader of server-sent events, citations, the conversation.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parts, spoken, within } from "../../../edge_worker/browser/citations.js";
import { Conversation, MAX_TURNS, left } from "../../../edge_worker/browser/conversation.js";
import { EventParser, eventsOf } from "../../../edge_worker/browser/sse.js";

const STREAM = 'event: sources\ndata: [{"n":1}]\n\n: a comment\nevent: token\ndata: {"text":"Grüße 👋 "}\n\nevent: done\ndata: {}\n\n';
const EVENTS = [
  { name: "sources", data: '[{"n":1}]' }, { name: "token", data: '{"text":"Grüße 👋 "}' }, { name: "done", data: "{}" },
];

test("events are the same wherever their text is split, with every kind of line end", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const stream = STREAM.replaceAll("\n", end);
    for (let first = 0; first <= stream.length; first += 1) {
      for (const second of [first, first + 1, first + 5]) {
        const parser = new EventParser();
        const pieces = [stream.slice(0, first), stream.slice(first, second), stream.slice(second), end === "\r" ? ":" : ""];
        assert.deepEqual(pieces.flatMap((piece) => parser.push(piece)), EVENTS, `${JSON.stringify(end)} ${first} ${second}`);
      }
    }
  }
});

test("an event is not told before its blank line is there, and data lines are joined", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push("data: one\ndata: two\n"), []);
  assert.deepEqual(parser.push("\n"), [{ name: "message", data: "one\ntwo" }]);
  assert.deepEqual(parser.push("\n\nevent: empty\n\n"), []);
});

test("an endless event is refused", () => {
  const parser = new EventParser();
  assert.throws(() => {
    for (let i = 0; i < 200; i += 1) parser.push(`data: ${"x".repeat(10_000)}`);
  });
});

test("bytes may be split within a character", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (const size of [1, 2, 3, 7]) {
    const body = new ReadableStream({
      start(stream) {
        for (let at = 0; at < bytes.length; at += size) stream.enqueue(bytes.slice(at, at + size));
        stream.close();
      },
    });
    const told = [];
    for await (const { name, value } of eventsOf(body)) told.push([name, value]);
    assert.deepEqual(told, [["sources", [{ n: 1 }]], ["token", { text: "Grüße 👋 " }], ["done", {}]]);
  }
});

test("whoever stops listening ends the stream", async () => {
  let cancelled = false;
  const body = new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode(STREAM)),
    cancel: () => (cancelled = true),
  });
  for await (const { name } of eventsOf(body)) if (name === "token") break;
  assert.ok(cancelled);
});

test("a citation takes the place of its number, and what cites nothing stays as written", () => {
  const sources = [{ n: 1, title: "A" }, { n: 12, title: "B" }];
  assert.deepEqual(parts("Yes [1][12]. No [7], <b>[x]</b>", sources), ["Yes", sources[0], sources[1], ". No [7], <b>[x]</b>"]);
  assert.equal(spoken("Yes [1]. No [12]", sources), "Yes. No");
  assert.deepEqual(parts("", sources), []);
});

test("a source leads nowhere but to this site", () => {
  const here = "https://shop.example";
  assert.deepEqual(["/a?b=1#c", "https://shop.example/x", "#faq"].map((url) => within(url, here)), ["/a?b=1#c", "/x", "/#faq"]);
  for (const url of ["", "//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "data:text/html,x", "http://shop.example/"]) {
    assert.equal(within(url, here), "", url);
  }
});

test("a message's length is counted as the shop counts it", () => {
  assert.deepEqual([left("x".repeat(1000)), left("👋".repeat(1000)), left(`  ${"x".repeat(1001)} `)], [0, 0, -1]);
});

function browserWith(storage) {
  globalThis.localStorage = { getItem: (key) => storage.get(key) ?? null, setItem: (key, value) => storage.set(key, value), removeItem: (key) => storage.delete(key) };
  globalThis.addEventListener = () => {};
}

function talk(turns) {
  browserWith(new Map());
  const conversation = new Conversation("tenant");
  for (const [question, answer, state] of turns) Object.assign(conversation.begin(question), { answer, state });
  return conversation;
}

test("a request tells what was answered before, and nothing that failed", () => {
  const conversation = talk([["a", "1", "done"], ["b", "2", "failed"], ["c", "", "stopped"], ["d", "4", "stopped"], ["e", "", "asked"]]);
  const { messages, lang } = JSON.parse(conversation.request(conversation.turns.at(-1), "de"));
  assert.deepEqual(messages.map((one) => one.content), ["a", "1", "d", "4", "e"]);
  assert.equal(lang, "de");
});

test("a request stays within what the shop reads, and always holds the question", () => {
  const long = Array.from({ length: MAX_TURNS }, (_, i) => [`${i}${"ü".repeat(990)}`, "é".repeat(4000), "done"]);
  const conversation = talk(long);
  const body = conversation.request(conversation.turns.at(-1), "en");
  assert.ok(new TextEncoder().encode(body).length < 65_536);
  assert.ok(JSON.parse(body).messages.length > 5);
  assert.equal(JSON.parse(body).messages.at(-1).content, conversation.turns.at(-1).question);
  assert.ok(conversation.isFull);
});

test("a conversation is found again, and an answer that was cut off says so", () => {
  const storage = new Map();
  browserWith(storage);
  const before = new Conversation("tenant");
  Object.assign(before.begin("a"), { answer: "1", state: "done" });
  before.begin("b");
  const after = new Conversation("tenant");
  assert.equal(after.id, before.id);
  assert.deepEqual(after.turns.map(({ state }) => state), ["done", "failed"]);
  assert.equal(new Conversation("other").turns.length, 0);
  after.clear();
  assert.equal(new Conversation("tenant").turns.length, 0);
});

test("what is not a conversation, or an old one, is not taken for one", () => {
  for (const kept of ["{", "[]", '{"id":1,"turns":[]}', '{"id":"x","turns":{}}', '{"id":"x","turns":[{}],"at":1}']) {
    browserWith(new Map([["chat:tenant", kept]]));
    assert.deepEqual(new Conversation("tenant").turns, [], kept);
  }
});
