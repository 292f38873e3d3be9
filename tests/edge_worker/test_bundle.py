"""What `wrangler deploy` would upload: all that the Worker needs, and by name whatever it does not."""

import gzip
import re
from pathlib import Path

import pytest

from controlplane.deploy.edge import WORKER

pytestmark = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]

MAX_BYTES, MAX_COMPRESSED = 3_000_000, 1_000_000
"""Cloudflare takes 3 MB compressed on its free plan, 10 MB on the paid one; every byte is parsed at start-up."""

UNNEEDED = re.compile(
    r"\.(so|pyc|pyd|pyi|c|whl|mjs|map|json|lock|toml)$|(^|/)(__pycache__|node_modules|\.venv[^/]*|bin|tests?)(/|$)"
    r"|\.dist-info/|(^|/)(test_[^/]*|testclient|pytest_plugin|conftest|_trio)\.py$|/py\.typed$|^\.|/\."
)
TABLE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def contents(bundle: Path) -> dict[str, list[Path]]:
    """The files by what the documentation lists: ours, and each package."""
    found: dict[str, list[Path]] = {}
    for path in sorted(path for path in bundle.rglob("*") if path.is_file() and path.name != "README.md"):
        parts = path.relative_to(bundle).parts
        found.setdefault("/".join(parts[: 2 if parts[0] == "python_modules" else 1]), []).append(path)
    return found


def table(bundle: Path) -> str:
    """The table of docs/runtime.md: `python -m tests.edge_worker.test_bundle` prints it."""
    rows = ["| in the bundle | files | KiB | compressed |", "| --- | ---: | ---: | ---: |"]
    for name, paths in contents(bundle).items():
        content = b"".join(path.read_bytes() for path in paths)
        sizes = f"{len(content) / 1024:.0f} | {len(gzip.compress(content)) / 1024:.0f}"
        rows.append(f"| `{name}` | {len(paths)} | {sizes} |")
    return "\n".join(rows)


def test_the_bundle_holds_the_worker_and_its_templates_whole(worker_bundle: Path) -> None:
    source = WORKER / "src"
    ours = {path.relative_to(source) for suffix in ("py", "html") for path in source.rglob(f"*.{suffix}")}
    bundled = {path.relative_to(worker_bundle) for path in (worker_bundle / "storefront").rglob("*") if path.is_file()}
    assert bundled | {Path("entry.py")} == ours
    assert (worker_bundle / "entry.py").read_bytes() == (source / "entry.py").read_bytes()


def test_the_bundle_holds_nothing_unneeded(worker_bundle: Path) -> None:
    names = [path.relative_to(worker_bundle).as_posix() for path in worker_bundle.rglob("*") if path.is_file()]
    assert [name for name in names if UNNEEDED.search(name)] == []


def test_the_bundle_is_small(worker_bundle: Path) -> None:
    content = b"".join(path.read_bytes() for path in sorted(worker_bundle.rglob("*")) if path.is_file())
    assert len(content) < MAX_BYTES, table(worker_bundle)
    assert len(gzip.compress(content)) < MAX_COMPRESSED, table(worker_bundle)


def test_the_documentation_lists_what_is_in_the_bundle(worker_bundle: Path) -> None:
    documented = TABLE.findall((WORKER.parent / "docs/runtime.md").read_text("utf-8").split("## The bundle")[1])
    assert set(documented) == set(contents(worker_bundle)), table(worker_bundle)


if __name__ == "__main__":
    import tempfile

    from tests.edge_worker.runtimes.pyodide import bundle

    with tempfile.TemporaryDirectory() as folder:
        done = bundle(Path(folder) / "out")
        assert done.returncode == 0, done.stderr
        print(table(Path(folder) / "out"), re.findall("Total Upload.*", done.stdout)[0], sep="\n\n")  # noqa: T201
