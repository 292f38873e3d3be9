// A bundled Python Worker in real Pyodide, without workerd: workerd takes no Pyodide but Cloudflare's own bundle, which
// it fetches from the network and checks against a digest of its own (docs/runtime.md). What workerd provides is
// provided here, and no more; sources are files of cloudflare/workerd, named where they matter.
import { readFileSync, readdirSync } from "node:fs";
import { AsyncLocalStorage } from "node:async_hooks";
import { dirname, join } from "node:path";

/** The context that `cloudflare:workers` speaks of, of the request that is being served. */
export const current = new AsyncLocalStorage();

export class ExecutionContext {
  promises = [];
  waitUntil(promise) {
    this.promises.push(Promise.resolve(promise));
  }
}

export function mount(fs, directory, target) {
  fs.mkdirTree(target);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const [from, to] = [join(directory, entry.name), `${target}/${entry.name}`];
    if (entry.isDirectory()) mount(fs, from, to);
    else fs.writeFile(to, readFileSync(from), { mode: 0o555 });
  }
}

// src/pyodide/python-entrypoint-helper.ts: setDoAnImport, setupPatches
export function platformModules(env) {
  return {
    _pyodide_entrypoint_helper: {
      doAnImport: (name) => import(name),
      cloudflareWorkersModule: { env, waitUntil: (task) => current.getStore()?.waitUntil(task.copy?.() ?? task) },
      cloudflareSocketsModule: {},
      patchWaitUntil() {},
    },
    // compatibility-date.capnp: on by default from 2026-02-25 and 2026-02-17
    _cloudflare_compat_flags: {
      python_workflows_implicit_dependencies: true,
      python_request_headers_preserve_commas: true,
    },
  };
}

// Outside a request workerd refuses randomness, beyond what the standard library draws when imported
// (internal/topLevelEntropy/entropy_import_context.py): a Worker that draws some can't be deployed.
function countEntropy(installed) {
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
export const BOOT = `
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

/** Starts Pyodide and imports the bundle's entry.py; `serve(request, env, context)` answers as its fetch handler. */
export async function start(installed, bundle, env) {
  const entropy = countEntropy(installed);
  const { loadPyodide } = installed("pyodide");
  const indexURL = dirname(installed.resolve("pyodide"));
  const pyodide = await loadPyodide({ indexURL, stdout: console.error, stderr: console.error });
  for (const [name, module] of Object.entries(platformModules(env))) pyodide.registerJsModule(name, module);
  mount(pyodide.FS, bundle, "/session/metadata");
  pyodide.runPython(BOOT);
  const drawnByPython = entropy.calls;
  const entry = pyodide.pyimport("entry");
  const drawnByWorker = entropy.calls - drawnByPython;
  const dispatch = pyodide.runPython(DISPATCH);
  const python = pyodide.runPython("import platform; platform.python_version()");
  const serve = (request, env, context) =>
    current.run(context, () => dispatch(entry.Default(context, env), request));
  return { serve, facts: { python, pyodide: pyodide.version, drawnByPython, drawnByWorker } };
}
