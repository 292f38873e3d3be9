// Serves requests from a bundled Python Worker in real Pyodide, without workerd: workerd fetches its own Pyodide
// bundle from the network. What workerd provides is provided here, and no more; sources are files of
// cloudflare/workerd, named where they matter. KV is miniflare's.
//
// usage: node run_worker.mjs TASK.json RESULT.json
// TASK: {modules: directory with package.json, bundle: directory, vars: {}, kv: {}, requests: [{method, url, headers, body}]}
// RESULT: {python, pyodide, drawnByPython, drawnByWorker, responses: [{status, headers, body, parts}], kvReads: [{key, options}]}
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const task = JSON.parse(readFileSync(process.argv[2], "utf8"));
const installed = createRequire(join(task.modules, "package.json"));
const { Miniflare, convertV4MiniflareOptions } = installed("miniflare");
const { loadPyodide } = installed("pyodide");

// The SDK tells bindings by the names of their classes (workers/rpc.py, _EnvWrapper).
class KvNamespace {
  #namespace;
  reads = [];
  constructor(namespace) {
    this.#namespace = namespace;
  }
  get(key, options) {
    this.reads.push({ key, options });
    return this.#namespace.get(key, options);
  }
}

// The model runs at Cloudflare; here an HTTP service answers for it, as in the local cloud.
class Ai {
  async run(model, inputs) {
    const answer = await fetch(`${task.vars.AI_URL}/${model}`, { method: "POST", body: JSON.stringify(inputs) });
    return inputs.stream ? answer.body : answer.json();
  }
}

class Ratelimit {
  keys = [];
  async limit({ key }) {
    this.keys.push(key);
    return { success: true };
  }
}

class ExecutionContext {
  promises = [];
  waitUntil(promise) {
    this.promises.push(Promise.resolve(promise));
  }
}

function mount(fs, directory, target) {
  fs.mkdirTree(target);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const [from, to] = [join(directory, entry.name), `${target}/${entry.name}`];
    if (entry.isDirectory()) mount(fs, from, to);
    else fs.writeFile(to, readFileSync(from), { mode: 0o555 });
  }
}

// src/pyodide/python-entrypoint-helper.ts: setDoAnImport, setupPatches
function registerPlatformModules(pyodide, env) {
  pyodide.registerJsModule("_pyodide_entrypoint_helper", {
    doAnImport: (name) => import(name),
    cloudflareWorkersModule: { env, waitUntil: (task) => current?.waitUntil(task.copy?.() ?? task) },
    cloudflareSocketsModule: {},
    patchWaitUntil() {},
  });
  // compatibility-date.capnp: on by default from 2026-02-25 and 2026-02-17
  pyodide.registerJsModule("_cloudflare_compat_flags", {
    python_workflows_implicit_dependencies: true,
    python_request_headers_preserve_commas: true,
  });
}

// Outside a request workerd refuses randomness, beyond what the standard library draws when imported
// (internal/topLevelEntropy/entropy_import_context.py): a Worker that draws some can't be deployed.
function countEntropy() {
  const counter = { calls: 0 };
  const nodeCrypto = installed("node:crypto"); // where Emscripten's getentropy turns to
  const original = nodeCrypto.randomFillSync;
  nodeCrypto.randomFillSync = (...args) => {
    counter.calls += 1;
    return original(...args);
  };
  return counter;
}

// internal/setup_python_search_path.py, and wrapper_func of internal/introspection.py
const BOOT = `
import random, sys, tempfile
from site import addsitedir
sys.path[:0] = ["/session/metadata"]
addsitedir("/session/metadata/python_modules")
`;
const DISPATCH = `
from pyodide.code import relaxed_call
from workers import python_from_rpc, python_to_rpc
async def dispatch(instance, request):
    return python_to_rpc(await relaxed_call(instance.fetch, python_from_rpc(request)))
dispatch
`;

let current = null; // the context that `cloudflare:workers` speaks of: requests come one by one here

async function serve(pyodide, entry, dispatch, env, { method, url, headers, body: sent }) {
  const context = (current = new ExecutionContext());
  const request = new Request(url, { method, headers, body: sent });
  const response = await dispatch(entry.Default(context, env), request);
  const parts = [];
  const decoder = new TextDecoder();
  if (response.body) for await (const part of response.body) parts.push(decoder.decode(part, { stream: true }));
  await Promise.all(context.promises);
  const answer = { status: response.status, headers: Object.fromEntries(response.headers), body: parts.join("") };
  return { ...answer, parts: parts.length };
}

const miniflare = new Miniflare(
  convertV4MiniflareOptions({ script: "addEventListener('fetch', () => {})", kvNamespaces: ["KV"], cf: false }),
);
try {
  globalThis.caches = await miniflare.getCaches();
  const namespace = await miniflare.getKVNamespace("KV");
  for (const [key, value] of Object.entries(task.kv)) await namespace.put(key, value);
  const env = { KV: new KvNamespace(namespace), AI: new Ai(), ...task.vars };
  for (const name of ["VISITOR_LIMITER", "SHOP_LIMITER", "SEARCH_LIMITER"]) env[name] = new Ratelimit();

  const entropy = countEntropy();
  const indexURL = dirname(installed.resolve("pyodide"));
  const pyodide = await loadPyodide({ indexURL, stdout: console.error, stderr: console.error });
  registerPlatformModules(pyodide, env);
  mount(pyodide.FS, task.bundle, "/session/metadata");
  pyodide.runPython(BOOT);
  const drawnByPython = entropy.calls;
  const entry = pyodide.pyimport("entry");
  const drawnByWorker = entropy.calls - drawnByPython;
  const dispatch = pyodide.runPython(DISPATCH);

  const responses = [];
  for (const request of task.requests) responses.push(await serve(pyodide, entry, dispatch, env, request));
  const python = pyodide.runPython("import platform; platform.python_version()");
  const result = { python, pyodide: pyodide.version, drawnByPython, drawnByWorker, responses, kvReads: env.KV.reads };
  result.limited = env.VISITOR_LIMITER.keys;
  writeFileSync(process.argv[3], JSON.stringify(result));
} finally {
  await miniflare.dispose();
}
