// The Worker in Pyodide as a service of one test run: Cloudflare's simulator (miniflare) has its KV, its rate limits and
// its static assets, and Pyodide answers what is asked on two addresses.
//
// usage: node serve.mjs MODULES BUNDLE < TASK.json   (ends when its standard input does)
// TASK, one line: {vars: {}, namespaces: {KV: id, …}, limits: wrangler's `ratelimits`, assets: wrangler's `assets`}
// It prints one line of JSON: {control, front, explorer, python, pyodide, drawnByPython, drawnByWorker}.
//   control   POST {method, url, headers: [[name, value]], body: base64, vars: {}, down: ["KV"], cache: name}
//             → lines of JSON as things happen: {status, headers}, {body: base64} for each part, {done, reads, limited}
//   front     the Worker behind workerd's own HTTP server, with the static assets in front of it
//   explorer  the simulator's KV REST API
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ExecutionContext, current, start } from "./worker.mjs";

const [modules, bundle] = process.argv.slice(2);
const installed = createRequire(join(modules, "package.json"));
const { Miniflare, Response: MiniflareResponse, convertV4MiniflareOptions } = installed("miniflare");
const lines = createInterface({ input: process.stdin });
const task = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);

// The SDK tells bindings by the names of their classes (workers/rpc.py, _EnvWrapper).
class KvNamespace {
  reads = [];
  constructor(namespace, down) {
    Object.assign(this, { namespace, down });
  }
  get(key, options) {
    this.reads.push({ key, options });
    if (this.down) throw new Error("KV GET failed: 500 Internal Server Error");
    return this.namespace.get(key, options);
  }
}

class Ratelimit {
  keys = [];
  constructor(binding) {
    this.binding = binding;
  }
  limit({ key }) {
    this.keys.push(key);
    return this.binding.limit({ key });
  }
}

// The model runs at Cloudflare; here an HTTP service answers for it, as in the local cloud.
class Ai {
  constructor(url) {
    this.url = url;
  }
  async run(model, inputs) {
    const answer = await fetch(`${this.url}/${model}`, { method: "POST", body: JSON.stringify(inputs) });
    if (!answer.ok) throw new Error(`InferenceUpstreamError: ${answer.status}`);
    return inputs.stream ? answer.body : (await answer.json()).result;
  }
}

// `caches.default` of workerd holds what any request kept; here each request names the cache that it finds.
class Cache {
  constructor(name) {
    this.opened = miniflare.getCaches().then((all) => all.open(name));
  }
  async match(key) {
    return (await this.opened).match(key);
  }
  async put(key, response) {
    const kept = new MiniflareResponse(await response.text(), { headers: [...response.headers] });
    return (await this.opened).put(key, kept);
  }
  async delete(key) {
    return (await this.opened).delete(key);
  }
}
Object.defineProperty(globalThis, "caches", { get: () => ({ default: current.getStore().cache }) });

function environment({ vars = {}, down = [] }) {
  const all = { ...task.vars, ...vars };
  const env = { ...all, KV: new KvNamespace(bindings.KV, down.includes("KV")), AI: new Ai(all.AI_URL) };
  for (const { name } of task.limits) env[name] = new Ratelimit(bindings[name]);
  return env;
}

async function control(asked, answer) {
  const told = (value) => answer.write(JSON.stringify(value) + "\n");
  const { method, url, headers, body, cache, ...changes } = asked;
  const [env, context] = [environment(changes), new ExecutionContext()];
  context.cache = new Cache(cache);
  const request = new Request(url, { method, headers, body: body ? Buffer.from(body, "base64") : undefined });
  const response = await worker.serve(request, env, context);
  told({ status: response.status, headers: [...response.headers] });
  if (response.body)
    for await (const part of response.body) told({ body: Buffer.from(part).toString("base64") });
  await Promise.all(context.promises);
  const limited = Object.fromEntries(task.limits.map(({ name }) => [name, env[name].keys]));
  told({ done: true, reads: env.KV.reads, limited });
}

// What workerd hands to the Worker is one fetch of the simulator's; its answer goes back the same way.
async function behindWorkerd(request) {
  const context = Object.assign(new ExecutionContext(), { cache: new Cache("front") });
  const body = request.body ? await request.arrayBuffer() : undefined;
  const asked = new Request(request.url, { method: request.method, headers: [...request.headers], body });
  const response = await worker.serve(asked, environment({}), context);
  return new MiniflareResponse(response.body, { status: response.status, headers: [...response.headers] });
}

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: "export default { fetch: (request, env) => env.PYODIDE.fetch(request) }",
    serviceBindings: { PYODIDE: behindWorkerd },
    kvNamespaces: task.namespaces,
    ratelimits: Object.fromEntries(task.limits.map(({ name, ...limit }) => [name, limit])),
    assets: { ...task.assets, routerConfig: { has_user_worker: true } },
    unsafeLocalExplorer: true,
    compatibilityDate: "2026-11-17",
    host: "127.0.0.1",
    cf: false,
  }),
);
const front = await miniflare.ready;
const bindings = await miniflare.getBindings();
const worker = await start(installed, bundle, environment({}));

const server = createServer(async (request, answer) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  try {
    await control(JSON.parse(Buffer.concat(parts)), answer);
  } catch (error) {
    answer.write(JSON.stringify({ failed: String(error?.stack ?? error) }) + "\n");
  }
  answer.end();
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const explorer = new URL("/cdn-cgi/local/explorer/api", front).href;
const addresses = { control: `http://127.0.0.1:${server.address().port}`, front: front.origin, explorer };
console.log(JSON.stringify({ ...addresses, ...worker.facts }));

lines.on("close", async () => {
  server.closeAllConnections();
  server.close();
  await miniflare.dispose();
  process.exit(0);
});
