"""`make bench`: every benchmark one after another, or those named: `python -m tests.benchmarks edits chat_evals`.

Those beside a demo use the one that runs, or start one and stop it at the end. All of them together take about half an
hour on two cores; nothing else should run meanwhile. `retrieval` loads a million passages (3 GB) and removes them.
"""

import contextlib
import subprocess
import sys

from tests.benchmarks.cart_and_live import platform

BESIDE_A_DEMO = ("edits", "preview", "cart_and_live")
ALONE = (
    "startup", "edge_throughput", "realtime_fanout", "instant_rules", "chat_evals", "domains", "tenant_list",
    "retrieval",
)  # fmt: skip


def main() -> None:
    chosen = sys.argv[1:] or [*BESIDE_A_DEMO, *ALONE]
    if unknown := set(chosen) - {*BESIDE_A_DEMO, *ALONE}:
        sys.exit(f"No such benchmark: {', '.join(sorted(unknown))}. There are {', '.join((*BESIDE_A_DEMO, *ALONE))}.")
    needs_demo = any(name in BESIDE_A_DEMO for name in chosen)
    failed = []
    with platform() if needs_demo else contextlib.nullcontext():
        failed += [name for name in chosen if name in BESIDE_A_DEMO and not ran(name)]
    failed += [name for name in chosen if name in ALONE and not ran(name)]
    if failed:
        sys.exit(f"Did not finish: {', '.join(failed)}")


def ran(name: str) -> bool:
    print(f"\n== {name}", flush=True)
    return subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode == 0


if __name__ == "__main__":
    main()
