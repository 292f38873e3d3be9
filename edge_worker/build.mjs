// Bundles browser/ into public/assets under names that carry their content's hash, and writes the names where the
// Worker reads them: src/storefront/bundle.py, since a Worker has none of public/ in it. Run: node build.mjs
import { gzipSync } from "node:zlib";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const browser = join(here, "browser");
const assets = join(here, "public", "assets");
// Instant's client looks for its makers' debug switches in window.localStorage as it loads; where a browser blocks
// storage that throws, and would take the whole page's scripts with it.
const define = { "window.localStorage": "undefined" };
const shared = { absWorkingDir: here, bundle: true, minify: true, target: "es2022", legalComments: "none", logLevel: "warning" };

rmSync(assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

// Every page loads start.js and live.css; all else is a dynamic import from there, each in a chunk of its own.
const { metafile } = await build({
  ...shared,
  entryPoints: [join(browser, "start.js"), join(browser, "live.css")],
  outdir: assets,
  format: "esm",
  splitting: true,
  define,
  metafile: true,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
});

const named = Object.entries(metafile.outputs)
  .filter(([, output]) => output.entryPoint && /^browser\/(start\.js|live\.css)$/.test(output.entryPoint))
  .map(([path, output]) => [basename(output.entryPoint), `/assets/${basename(path)}`])
  .sort();
const files = readdirSync(assets).sort();

// The service worker's address must not change; its content does with every file that it keeps.
const version = createHash("sha256").update(files.join()).digest("hex").slice(0, 10);
await build({
  ...shared,
  entryPoints: [join(browser, "sw.js")],
  outfile: join(here, "public", "sw.js"),
  format: "iife",
  define: { VERSION: JSON.stringify(version), ASSETS: JSON.stringify(files.map((name) => `/assets/${name}`)) },
});

const lines = named.map(([name, address]) => `    ${JSON.stringify(name)}: ${JSON.stringify(address)},\n`).join("");
writeFileSync(
  join(here, "src", "storefront", "bundle.py"),
  `"""Written by edge_worker/build.mjs: where this build's browser files are."""\n\nFILES: dict[str, str] = {\n${lines}}\n`,
);

let total = 0;
for (const name of [...files.map((file) => join("assets", file)), "sw.js"]) {
  const size = gzipSync(readFileSync(join(here, "public", name)), { level: 9 }).length;
  total += size;
  console.log(`${(size / 1024).toFixed(1).padStart(6)} KB gzip  ${name}`);
}
console.log(`${(total / 1024).toFixed(1).padStart(6)} KB gzip  in all`);
