// Two genuine clients edit one cart while their server is killed again and again.
//
// usage: node chaos.mjs MODULES API_URI APP_ID EDITS
// Edits until something arrives on its standard input, says "synced" of each confirmed edit, in the end one JSON object: what each client wrote and whether that was confirmed, and what it sees when all is quiet.
// A write that is unanswered for six seconds is given up and undone by the client itself: it may have happened or not.
import { createRequire } from "node:module";
import { join } from "node:path";

globalThis.window = globalThis;
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

const [modules, apiURI, appId, edits] = process.argv.slice(2);
console.error = console.warn = () => {}; // the client's own: it says of every lost connection what is reported anyway
const { init, id, StoreInterface } = createRequire(join(modules, "package.json"))("@instantdb/core");

class Memory extends StoreInterface {
  kept = new Map();
  getItem = async (key) => this.kept.get(key) ?? null;
  setItem = async (key, value) => void this.kept.set(key, value);
  removeItem = async (key) => void this.kept.delete(key);
  getAllKeys = async () => [...this.kept.keys()];
  multiSet = async (pairs) => pairs.forEach(([key, value]) => this.kept.set(key, value));
}
const Network = { getIsOnline: async () => true, listen: () => () => {} };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const websocketURI = apiURI.replace("http", "ws") + "/runtime/session";

const cart = id();
const share = "s3cret-".padEnd(40, "x");
const query = { $$ruleParams: { share }, carts: { $: { where: { id: cart } }, items: {} } };

function client(name) {
  const db = init({ appId, apiURI, websocketURI, verbose: false, __extraDedupeKey: name }, Memory, Network);
  const seen = { lines: {} };
  db.subscribeQuery(query, ({ data }) => {
    if (data) seen.lines = Object.fromEntries((data.carts[0]?.items ?? []).map((line) => [line.id, line.quantity]));
  });
  return { name, db, seen, made: [], refused: [], lines: [] };
}

function edit(one, number) {
  const { tx } = one.db;
  const fresh = one.lines.length === 0 || number % 4 < 2;
  const line = fresh ? id() : one.lines[(number * 7) % one.lines.length];
  const quantity = 1 + (number % 900);
  const chunk = tx.cartItems[line].ruleParams({ share });
  if (fresh) one.lines.push(line);
  const made = { line, quantity, confirmed: false };
  one.made.push(made);
  const write = fresh
    ? chunk.update({ productId: cart, quantity, addedAt: number }).link({ cart })
    : chunk.update({ quantity }, { upsert: false });
  one.db.transact(write).then(
    ({ status }) => {
      made.confirmed = status === "synced";
      if (made.confirmed) console.log("synced");
    },
    (error) => one.refused.push(error.message),
  );
}

const anna = client("anna");
const ben = client("ben");
const { user } = await anna.db.auth.signInAsGuest();
const tenantId = id();
await anna.db.transact(anna.db.tx.carts[cart].create({ tenantId, ownerId: user.id, shareSecret: share, createdAt: 0 }));
console.log("ready");

let stopped = false;
process.stdin.on("data", () => (stopped = true));
setTimeout(() => process.exit(1), 300_000).unref();
for (let number = 0; !stopped || number < Number(edits); number += 1) {
  edit(number % 2 ? ben : anna, number);
  await pause(150);
}

// Quiet is: connected, nothing waits for an answer, and both see the same, for a while.
const view = ({ seen }) => JSON.stringify(Object.entries(seen.lines).sort());
const connected = ({ db }) => db._reactor.status === "authenticated";
const waiting = ({ db }) => [...db._reactor._pendingMutations().values()].some((mutation) => !mutation["tx-id"]);
const calm = () => view(anna) === view(ben) && [anna, ben].every((one) => connected(one) && !waiting(one));
const until = Date.now() + 120_000;
for (let since = Date.now(); Date.now() < until && Date.now() - since < 1500; await pause(50)) {
  if (!calm()) since = Date.now();
}
const report = (one) => {
  const { made, refused, seen } = one;
  return { made, refused, seen: seen.lines, connected: connected(one), waiting: waiting(one) };
};
process.stdout.write(`${JSON.stringify({ anna: report(anna), ben: report(ben) })}\n`, () => process.exit(0));
