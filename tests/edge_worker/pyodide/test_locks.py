"""The Worker's lock files agree with what the platform is tested with, and name no registry."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
EDGE = ROOT / "edge_worker"


def pinned(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", lock.read_text("utf-8"), re.MULTILINE))


def test_the_worker_runs_the_versions_that_are_tested_under_cpython() -> None:
    edge, platform = pinned(EDGE / "requirements.lock"), pinned(ROOT / "requirements.lock")
    assert {name: version for name, version in edge.items() if platform.get(name, version) != version} == {}
    assert {"starlette", "jinja2", "markupsafe", "anyio", "workers-runtime-sdk"} <= edge.keys()


def test_pywrangler_installs_what_the_lock_names() -> None:
    declared = re.findall(r'^ +"([\w-]+)==([\w.]+)"', (EDGE / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert declared
    assert set(declared) <= pinned(EDGE / "requirements.lock").items()


def test_the_locks_name_no_registry() -> None:
    assert '"resolved"' not in (EDGE / "package-lock.json").read_text("utf-8")
    assert "://" not in (EDGE / "requirements.lock").read_text("utf-8")


def test_the_npm_lock_has_every_platforms_packages() -> None:
    """A registry that lacks some makes `npm install` drop them from the lock, and then `npm ci` refuses it."""
    packages = json.loads((EDGE / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    assert {name for name in wanted if f"node_modules/{name}" not in packages} == set()
