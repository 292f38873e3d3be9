"""How long the Worker takes to start in Pyodide: cold, from a memory snapshot, and which modules it is spent on.

Cloudflare imports once, when a Worker is deployed, and starts from a snapshot of its memory; `wrangler dev` and the
tests import each time. ROUNDS starts of each kind in turns; the median and the whole range are printed.
"""

import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from controlplane.deploy.edge import WORKER
from tests.edge_worker.runtimes.pyodide import bundle
from tests.plugins.node import NODE

ROUNDS = 5
PACKAGES = {"anyio", "jinja2", "starlette", "workers", "markupsafe", "idna", "pyodide", "typing_extensions"}
SCRIPT = Path(__file__).parents[1] / "edge_worker" / "pyodide" / "startup.mjs"


def start(bundled: Path, what: str) -> dict[str, Any]:
    command: list[str | Path] = [NODE, SCRIPT, WORKER, bundled, what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


def shown(figures: list[float]) -> str:
    return f"{statistics.median(figures):.0f} ms ({min(figures):.0f} to {max(figures):.0f})"


def by_package(modules: list[tuple[str, float, int]]) -> dict[str, tuple[float, int]]:
    """Milliseconds and number of modules, of ours one by one and of others together."""
    spent: dict[str, tuple[float, int]] = {}
    for name, time, _size in modules:
        top = name.split(".")[0]
        key = top if top in PACKAGES else "the standard library"
        key = name if top in ("storefront", "entry") else key
        before, count = spent.get(key, (0.0, 0))
        spent[key] = before + time, count + 1
    return dict(sorted(spent.items(), key=lambda one: -one[1][0]))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        done = bundle(out)
        assert done.returncode == 0, done.stderr
        rounds = [(start(out, "cold"), start(out, "snapshot")) for _ in range(ROUNDS)]
        modules = start(out, "modules")["modules"]
    cold, snapshot = [one for one, _ in rounds], [two for _, two in rounds]
    print("| what | median (range) |\n| --- | --- |")
    print(f"| Pyodide itself, no module of ours | {shown([one['python'] for one in cold])} |")
    print(f"| all imports and the templates, cold | {shown([one['imports'] for one in cold])} |")
    print(f"| … processor time of that | {shown([one['cpu'] for one in cold])} |")
    print(f"| Pyodide with all of it from a snapshot | {shown([one['restored'] for one in snapshot])} |")
    print(f"| the snapshot's size | {snapshot[0]['bytes'] / 2**20:.0f} MiB |")
    print("\n| module | ms of its own | modules |\n| --- | ---: | ---: |")
    for name, (time, count) in list(by_package(modules).items())[:24]:
        print(f"| `{name}` | {time:.0f} | {count} |")


if __name__ == "__main__":
    main()
