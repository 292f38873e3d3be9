// The vendor's npm clients against an Instant server: @instantdb/core as a browser has it, admin and platform.
//
// usage: node clients.mjs MODULES   (a directory with node_modules in it)
// environment: INSTANT_CONFORMANCE_URI, _WEBSOCKET_URI, _APP_ID, _ADMIN_TOKEN: an app whose schema, rules and data
// may be overwritten. Prints one JSON object a check: {name, ok, error?}. Every check stands for itself.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

// The core client starts only where there is a window.
globalThis.window = globalThis;
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

const load = createRequire(join(process.argv[2], "package.json"));
const core = load("@instantdb/core");
const admin = load("@instantdb/admin");
const { PlatformApi } = load("@instantdb/platform");
const { i, id, lookup } = core;

const { INSTANT_CONFORMANCE_URI: apiURI, INSTANT_CONFORMANCE_WEBSOCKET_URI: websocketURI } = process.env;
const { INSTANT_CONFORMANCE_APP_ID: appId, INSTANT_CONFORMANCE_ADMIN_TOKEN: adminToken } = process.env;

const schema = i.schema({
  entities: {
    lists: i.entity({ slug: i.string().unique().indexed(), ownerId: i.string().indexed(), secret: i.string().indexed().optional() }),
    items: i.entity({
      title: i.string().indexed(),
      rank: i.number().indexed(),
      done: i.boolean().indexed().optional(),
      due: i.date().indexed().optional(),
      extra: i.json().optional(),
    }),
  },
  links: {
    itemList: {
      forward: { on: "items", has: "one", label: "list", required: true, onDelete: "cascade" },
      reverse: { on: "lists", has: "many", label: "items" },
    },
  },
  rooms: { page: { presence: i.entity({ name: i.string() }), topics: { ping: i.entity({ n: i.number() }) } } },
});

const rules = {
  $default: { allow: { $default: "false" } },
  attrs: { allow: { create: "false" } },
  lists: {
    bind: {
      owns: "auth.id != null && data.ownerId == auth.id",
      holds: "ruleParams.secret != null && data.secret == ruleParams.secret",
    },
    allow: { view: "owns || holds", create: "owns", update: "owns && newData.ownerId == data.ownerId", delete: "owns" },
  },
  items: {
    bind: [
      "owns", "auth.id != null && auth.id in data.ref('list.ownerId')",
      "whole", "type(newData.rank) == int && newData.rank >= 0",
    ],
    allow: {
      view: "owns",
      create: "owns && whole",
      update: "owns && whole && !('done' in request.modifiedFields && data.done == true)",
      delete: "owns",
      link: { list: "owns && linkedData.id in data.ref('list.id')" },
    },
    fields: { extra: "data.done == true" },
  },
};

class Memory {
  #values = new Map();
  getItem = async (key) => this.#values.get(key) ?? null;
  removeItem = async (key) => void this.#values.delete(key);
  multiSet = async (pairs) => pairs.forEach(([key, value]) => this.#values.set(key, value));
  getAllKeys = async () => [...this.#values.keys()];
}
const online = { getIsOnline: async () => true, listen: () => () => {} };

const opened = [];
/** A browser of its own: the client keeps one instance an app and place, so each gets a place. */
function browser() {
  const db = core.init({ appId, apiURI, websocketURI: `${websocketURI}?c=${opened.length}`, schema, verbose: false }, Memory, online);
  opened.push(db);
  return db;
}
const server = admin.init({ appId, adminToken, apiURI, schema });
const bare = admin.init({ appId, adminToken, apiURI }); // checks nothing by itself
const platform = new PlatformApi({ apiURI, auth: { token: adminToken } });

const eventually = (subscribe, holds, what) =>
  new Promise((resolve, reject) => {
    let last;
    const timer = setTimeout(() => reject(new Error(`${what}: never, at last ${JSON.stringify(last)}`)), 15_000);
    const stop = subscribe((value) => {
      last = value;
      if (value?.error) reject(new Error(JSON.stringify(value.error)));
      else if (holds(value)) {
        clearTimeout(timer);
        setTimeout(() => stop?.(), 0);
        resolve(value);
      }
    });
  });
const refused = async (promise, message) => {
  const error = await promise.then(() => assert.fail("was not refused"), (error) => error);
  assert.match(`${error.message} ${JSON.stringify(error.body ?? error.hint ?? {})}`, message);
};
const newList = (ownerId, more = {}) => ({ slug: id(), ownerId, ...more });
async function guest() {
  const db = browser();
  const { user } = await db.auth.signInAsGuest();
  await connected(db);
  return { db, user };
}
/** A write is answered only on a live connection; else it is queued, and its promise says so. Signing in makes a new one. */
const connected = (db) =>
  eventually((tell) => db.subscribeConnectionStatus(tell), (status) => status === "authenticated", "the connection");

const checks = [];
const check = (name, run) => checks.push({ name, run });

// @instantdb/platform

check("platform pushes a schema and finds nothing left to do", async () => {
  await platform.schemaPush(appId, { schema });
  const { steps } = await platform.planSchemaPush(appId, { schema });
  assert.deepEqual(steps, []);
  const { schema: stored } = await platform.getSchema(appId);
  assert.deepEqual(Object.keys(stored.entities.items.attrs).sort(), ["done", "due", "extra", "rank", "title"]);
});
check("platform pushes rules and reads them back", async () => {
  await platform.pushPerms(appId, { perms: rules });
  assert.deepEqual((await platform.getPerms(appId)).perms, rules);
});
check("platform is told which rule is no CEL", async () => {
  await refused(platform.pushPerms(appId, { perms: { items: { allow: { view: "data.rank ==" } } } }), /items/);
  assert.deepEqual((await platform.getPerms(appId)).perms, rules);
});
check("platform adds and removes index, uniqueness, requirement and type", async () => {
  const notes = (attr) => i.schema({ entities: { ...schema.entities, notes: i.entity({ text: attr }) }, links: schema.links, rooms: {} });
  await platform.schemaPush(appId, { schema: notes(i.any().optional()) });
  await bare.transact(bare.tx.notes[id()].update({ text: "one" }));
  for (const attr of [i.string().optional().indexed(), i.string().unique().indexed(), i.any().optional()]) {
    await platform.schemaPush(appId, { schema: notes(attr) });
    assert.deepEqual((await platform.planSchemaPush(appId, { schema: notes(attr) })).steps, []);
  }
});
check("platform is told what does not fit a type or is there twice", async () => {
  const marks = (attr) => i.schema({ entities: { ...schema.entities, marks: i.entity({ text: attr }) }, links: schema.links, rooms: {} });
  await platform.schemaPush(appId, { schema: marks(i.any().optional()) });
  await bare.transact([1, 1].map((text) => bare.tx.marks[id()].update({ text })));
  for (const attr of [i.string().optional(), i.any().optional().unique()]) {
    const said = await (async () => await platform.schemaPush(appId, { schema: marks(attr) }))().catch(String);
    assert.match(JSON.stringify(said), /errored|invalid|not-unique/i);
  }
  assert.notDeepEqual((await platform.planSchemaPush(appId, { schema: marks(i.string().optional()) })).steps, []);
});

// @instantdb/admin

check("admin writes, links, looks up, merges and deletes with what hangs on it", async () => {
  const [list, item] = [id(), id()];
  const slug = id();
  await server.transact(server.tx.lists[list].create({ slug, ownerId: "nobody" }));
  await server.transact(server.tx.items[item].update({ title: "a", rank: 1, extra: { a: 1, b: 1 } }).link({ list: lookup("slug", slug) }));
  await server.transact(server.tx.items[item].merge({ extra: { a: null, c: 2 } }));
  const { lists } = await server.query({ lists: { $: { where: { slug } }, items: {} } });
  assert.deepEqual(lists[0].items.map(({ extra }) => extra), [{ b: 1, c: 2 }]);
  const { items } = await server.query({ items: { $: { where: { id: item } }, list: {} } });
  assert.equal(items[0].list.id, list, "a link to one is an object where the schema says so");
  await server.transact(server.tx.lists[list].delete());
  assert.deepEqual((await server.query({ items: { $: { where: { id: item } } } })).items, []);
});
check("admin filters, orders and pages", async () => {
  const list = id();
  const mine = (n) => server.tx.items[id()].update({ title: `t${n}`, rank: n, ...(n % 2 ? { done: true } : {}) }).link({ list });
  await server.transact([server.tx.lists[list].update(newList("nobody")), ...[1, 2, 3, 4].map(mine)]);
  const ranks = async (where, options = {}) =>
    (await server.query({ items: { $: { where: { list, ...where }, order: { rank: "asc" }, ...options } } })).items.map((one) => one.rank);
  assert.deepEqual(await ranks({ rank: { $gt: 1, } }), [2, 3, 4]);
  assert.deepEqual(await ranks({ rank: { $in: [1, 4, 9] } }), [1, 4]);
  assert.deepEqual(await ranks({ done: { $isNull: true } }), [2, 4]);
  assert.deepEqual(await ranks({ done: { $not: true } }), [2, 4]);
  assert.deepEqual(await ranks({ title: { $like: "%3" } }), [3]);
  assert.deepEqual(await ranks({ or: [{ rank: 1 }, { title: "t4" }] }), [1, 4]);
  assert.deepEqual(await ranks({}, { order: { rank: "desc" }, limit: 2, offset: 1 }), [3, 2]);
});
check("admin is refused a second of what is unique, a wrong type and a missing value", async () => {
  const slug = id();
  await server.transact(server.tx.lists[id()].update({ slug, ownerId: "nobody" }));
  await refused(server.transact(server.tx.lists[id()].update({ slug, ownerId: "x" })), /record-not-unique/);
  await refused(bare.transact(bare.tx.lists[id()].update({ slug: 5, ownerId: "x" })), /validation-failed/);
  await refused(server.transact(server.tx.lists[id()].update({ slug: id() })), /validation-failed/);
});
check("admin makes tokens, finds, signs out and deletes users", async () => {
  const email = `${id()}@example.com`;
  const token = await server.auth.createToken({ email });
  const user = await server.auth.verifyToken(token);
  assert.equal((await server.auth.getUser({ email })).id, user.id);
  assert.equal((await server.auth.getUser({ refresh_token: token })).email, email);
  await server.auth.signOut({ id: user.id });
  await refused(server.auth.verifyToken(token), /app-user/);
  await server.auth.deleteUser({ email });
  assert.equal(await server.auth.getUser({ email }).catch(() => null), null);
});
check("admin acts as a user by token or e-mail, and as a guest", async () => {
  const email = `${id()}@example.com`;
  const token = await server.auth.createToken({ email });
  const { id: ownerId } = await server.auth.verifyToken(token);
  const list = id();
  await server.asUser({ token }).transact(server.tx.lists[list].create(newList(ownerId)));
  const query = { lists: { $: { where: { id: list } } } };
  for (const who of [{ token }, { email }]) assert.equal((await server.asUser(who).query(query)).lists.length, 1);
  assert.deepEqual(await server.asUser({ guest: true }).query(query), { lists: [] });
  await refused(server.asUser({ guest: true }).transact(server.tx.lists[list].delete()), /permission-denied/);
  const forged = server.tx.lists[id()].create(newList("someone else"));
  await refused(server.asUser({ token }).transact(forged), /permission-denied/);
});
check("admin passes rule parameters", async () => {
  const [list, secret] = [id(), id()];
  await server.transact(server.tx.lists[list].update(newList("nobody", { secret })));
  const ask = (ruleParams) => server.asUser({ guest: true }).query({ lists: {} }, { ruleParams });
  assert.deepEqual((await ask({ secret })).lists.map((one) => one.id), [list]);
  for (const guess of ["", "x", null, { $like: "%" }]) assert.deepEqual((await ask({ secret: guess })).lists, []);
});
check("admin trades a magic code for a user", async () => {
  const email = `${id()}@example.com`;
  const { code } = await server.auth.generateMagicCode(email);
  assert.equal((await server.auth.verifyMagicCode(email, code)).email, email);
  await refused(server.auth.verifyMagicCode(email, code), /magic-code/);
});
check("admin's subscription follows writes", async () => {
  const list = id();
  await server.transact(server.tx.lists[list].update(newList("nobody")));
  const query = { lists: { $: { where: { id: list } }, items: {} } };
  const subscription = server.subscribeQuery(query);
  const seen = [];
  for await (const payload of subscription) {
    if (payload.type === "error") throw new Error(JSON.stringify(payload.error));
    seen.push(payload.data.lists[0].items.length);
    if (seen.length === 1) await server.transact(server.tx.items[id()].update({ title: "s", rank: 1 }).link({ list }));
    else break;
  }
  subscription.close();
  assert.deepEqual(seen, [0, 1]);
});

// @instantdb/core

check("core signs a guest in, writes, and another browser with the same token follows", async () => {
  const { db, user } = await guest();
  const second = browser();
  await second.auth.signInWithToken(user.refresh_token);
  await connected(second);
  const list = id();
  const follows = eventually((tell) => second.subscribeQuery({ lists: { items: {} } }, tell), ({ data }) => data?.lists[0]?.items.length === 1, "the other browser");
  await db.transact(db.tx.lists[list].create(newList(user.id)));
  await db.transact(db.tx.items[id()].create({ title: "x", rank: 1 }).link({ list }));
  assert.equal((await follows).data.lists[0].id, list);
});
check("core's rejected write is rolled back on the page", async () => {
  const { db, user } = await guest();
  const list = id();
  await db.transact(db.tx.lists[list].create(newList(user.id)));
  const query = { lists: { $: { where: { id: list } } } };
  await eventually((tell) => db.subscribeQuery(query, tell), ({ data }) => data?.lists.length === 1, "the list");
  await refused(db.transact(db.tx.lists[list].update({ ownerId: "other" })), /[Pp]ermission denied/);
  const now = await eventually((tell) => db.subscribeQuery(query, tell), ({ data }) => data?.lists[0]?.ownerId === user.id, "the roll-back");
  assert.equal(now.data.lists.length, 1);
});
check("core sees nothing of another guest, by no query and no path", async () => {
  const [one, other] = [await guest(), await guest()];
  const list = id();
  await one.db.transact(one.db.tx.lists[list].create(newList(one.user.id, { secret: id() })));
  await one.db.transact(one.db.tx.items[id()].create({ title: "mine", rank: 1 }).link({ list }));
  for (const where of [{ id: list }, { secret: { $gt: "" } }, { secret: { $like: "%" } }, { "items.title": "mine" }])
    assert.deepEqual((await other.db.queryOnce({ lists: { $: { where } } })).data, { lists: [] });
  for (const where of [{ list }, { "list.id": list }, { "list.secret": { $like: "%" } }])
    assert.deepEqual((await other.db.queryOnce({ items: { $: { where } } })).data, { items: [] });
});
check("core passes rule parameters with queries", async () => {
  const { db, user } = await guest();
  const [list, secret] = [id(), id()];
  await db.transact(db.tx.lists[list].create(newList(user.id, { secret })));
  const stranger = browser();
  const query = { lists: { $: { where: { id: list } } } };
  const held = await eventually((tell) => stranger.subscribeQuery(query, tell, { ruleParams: { secret } }), ({ data }) => data?.lists.length, "the shared list");
  assert.equal(held.data.lists[0].id, list);
});
check("core: rules for links keep an item in its list, field rules hide what they say", async () => {
  const { db, user } = await guest();
  const [list, second, item] = [id(), id(), id()];
  await db.transact([list, second].map((one) => db.tx.lists[one].create(newList(user.id))));
  await db.transact(db.tx.items[item].create({ title: "x", rank: 1, extra: "hidden" }).link({ list }));
  await refused(db.transact(db.tx.items[item].link({ list: second })), /[Pp]ermission denied/);
  await refused(db.transact(db.tx.lists[second].link({ items: item })), /[Pp]ermission denied/);
  const read = async () => (await db.queryOnce({ items: { $: { where: { id: item } } } })).data.items[0];
  assert.equal((await read()).extra, undefined);
  await db.transact(db.tx.items[item].update({ done: true }));
  assert.equal((await read()).extra, "hidden");
  await refused(db.transact(db.tx.items[item].update({ done: false })), /[Pp]ermission denied/);
  await db.transact(db.tx.items[item].update({ title: "y" }));
});
check("core: an update is judged before the write, a creation after it, all or nothing", async () => {
  const { db, user } = await guest();
  const [list, item] = [id(), id()];
  await db.transact([
    db.tx.lists[list].create(newList(user.id)),
    db.tx.items[item].create({ title: "together", rank: 0 }).link({ list }),
  ]);
  const steps = [db.tx.items[item].update({ title: "changed" }), db.tx.items[id()].create({ title: "bad", rank: -1 }).link({ list })];
  await refused(db.transact(steps), /[Pp]ermission denied/);
  const { data } = await db.queryOnce({ items: { $: { where: { list } } } });
  assert.deepEqual(data.items.map((one) => one.title), ["together"]);
});
check("core may create no attribute", async () => {
  const { db, user } = await guest();
  await refused(db.transact(db.tx.lists[id()].create({ ...newList(user.id), surprise: 1 })), /does not exist in your schema|[Pp]ermission denied/);
});
check("core pages by cursor", async () => {
  const { db, user } = await guest();
  const list = id();
  await db.transact(db.tx.lists[list].create(newList(user.id)));
  await db.transact([1, 2, 3].map((rank) => db.tx.items[id()].create({ title: `p${rank}`, rank }).link({ list })));
  const page = (after) => db.queryOnce({ items: { $: { where: { list }, order: { rank: "asc" }, first: 2, ...(after ? { after } : {}) } } });
  const first = await page();
  assert.deepEqual(first.data.items.map((one) => one.rank), [1, 2]);
  assert.equal(first.pageInfo.items.hasNextPage, true);
  assert.deepEqual((await page(first.pageInfo.items.endCursor)).data.items.map((one) => one.rank), [3]);
});
check("core meets others in a room and hears what they say", async () => {
  const [one, two] = [browser(), browser()];
  const name = id();
  const [here, there] = [one, two].map((db) => db.joinRoom("page", name, { initialPresence: { name: db === one ? "one" : "two" } }));
  here.subscribePresence({}, () => {}); // else the room is left with the last subscription
  await eventually((tell) => here.subscribePresence({}, tell), ({ peers }) => Object.values(peers ?? {}).some((peer) => peer.name === "two"), "the peer");
  const heard = eventually((tell) => there.subscribeTopic("ping", (event) => tell(event)), (event) => event?.n === 7, "the ping");
  const again = setInterval(() => here.publishTopic("ping", { n: 7 }), 200);
  await heard.finally(() => clearInterval(again));
});
check("core signs out", async () => {
  const { db, user } = await guest();
  await db.auth.signOut();
  assert.equal(await db.getAuth(), null);
  await refused(server.auth.verifyToken(user.refresh_token), /app-user/);
});

const only = process.argv[3];
for (const { name, run } of checks) {
  if (only && !name.includes(only) && !name.startsWith("platform pushes")) continue;
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("timed out")), 30_000)));
  const outcome = await Promise.race([run(), late]).then(
    () => ({ ok: true }),
    (error) => ({ ok: false, error: `${error?.stack ?? error} ${JSON.stringify(error?.body ?? {})}` }),
  );
  clearTimeout(timer);
  process.stdout.write(`${JSON.stringify({ name, ...outcome })}\n`);
}
opened.forEach((db) => db.shutdown());
process.exit(0);
