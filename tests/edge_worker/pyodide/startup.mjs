// How long the Worker's imports take in Pyodide: cold, module by module, and from a memory snapshot of the whole.
//
// usage: node startup.mjs MODULES BUNDLE cold|modules|snapshot   → one line of JSON
//   cold      {python, imports, cpu}: milliseconds until Pyodide is up, for entry.py and all it needs, and of that
//             what the process itself computed (other load on the machine is not in it)
//   modules   {modules: [[name, milliseconds of its own, bytes of source]]}, slowest first
//   snapshot  {taken, restored, bytes}: as Cloudflare does it when a Worker is deployed; milliseconds
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BOOT, mount, platformModules } from "./worker.mjs";

const [modules, bundle, what] = process.argv.slice(2);
const installed = createRequire(join(modules, "package.json"));
const { loadPyodide } = installed("pyodide");
const { default: createModule } = await import(join(dirname(installed.resolve("pyodide")), "pyodide.asm.mjs"));
const options = { indexURL: dirname(installed.resolve("pyodide")), stdout: console.error, stderr: console.error };

async function python(more = {}) {
  const pyodide = await loadPyodide({ ...options, ...more });
  for (const [name, module] of Object.entries(platformModules({}))) pyodide.registerJsModule(name, module);
  return pyodide;
}

function prepare(pyodide) {
  mount(pyodide.FS, bundle, "/session/metadata");
  pyodide.runPython(BOOT);
}

const since = (start) => performance.now() - start;

// A module's own time is its import's without the imports inside it, as `python -X importtime` counts.
const TIMED = `
import importlib.abc, importlib.machinery, json, sys, time
spent, stack = {}, []
original = importlib.machinery.SourceFileLoader.exec_module
def exec_module(self, module):
    start = time.perf_counter()
    stack.append(0.0)
    try:
        original(self, module)
    finally:
        whole = time.perf_counter() - start
        inner = stack.pop()
        if stack:
            stack[-1] += whole
        try:
            size = len(self.get_data(self.path))
        except Exception:
            size = 0
        spent[module.__name__] = (1000 * (whole - inner), size)
importlib.machinery.SourceFileLoader.exec_module = exec_module
zipped = type(sys.modules["encodings"].__loader__)
if zipped is not importlib.machinery.SourceFileLoader and hasattr(zipped, "exec_module"):
    before = zipped.exec_module
    def exec_zipped(self, module):
        global original
        kept, original = original, before
        try:
            exec_module(self, module)
        finally:
            original = kept
    zipped.exec_module = exec_zipped
`;

if (what === "cold") {
  let start = performance.now();
  const pyodide = await python();
  const up = since(start);
  prepare(pyodide);
  start = performance.now();
  const before = process.cpuUsage();
  pyodide.pyimport("entry");
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ python: up, imports: since(start), cpu: (user + system) / 1000 }));
} else if (what === "modules") {
  const pyodide = await python();
  prepare(pyodide);
  pyodide.runPython(TIMED);
  pyodide.pyimport("entry");
  const spent = pyodide.runPython("json.dumps(spent)");
  const rows = Object.entries(JSON.parse(spent)).map(([name, [time, size]]) => [name, time, size]);
  console.log(JSON.stringify({ modules: rows.sort((a, b) => b[1] - a[1]) }));
} else {
  const first = await python({ _makeSnapshot: true });
  prepare(first);
  let start = performance.now();
  first.runPython("import entry");
  const taken = since(start);
  const snapshot = first.makeMemorySnapshot({ serializer: () => null });
  start = performance.now();
  const second = await python({
    _loadSnapshot: snapshot,
    _snapshotDeserializer: () => ({}),
    // As workerd does (src/pyodide/internal/snapshot.ts): the memory must be as large as it was.
    createPyodideModule: async (settings) => {
      const made = await createModule(settings);
      made.growMemory(snapshot.byteLength);
      return made;
    },
  });
  const restored = since(start);
  second.runPython("import sys; assert 'storefront.app' in sys.modules");
  console.log(JSON.stringify({ taken, restored, bytes: snapshot.byteLength }));
}
