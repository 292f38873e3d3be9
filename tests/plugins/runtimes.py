"""The Worker in both its runtimes, started once for all tests that ask: `both`, `pyodide`, `cpython`; and `simulator`.

Tests that use them belong to the xdist group "pyodide", so that one process has them all.
"""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge_worker.runtimes import world
from tests.edge_worker.runtimes.cpython import CPython
from tests.edge_worker.runtimes.pyodide import Pyodide, bundle
from tests.edge_worker.runtimes.simulator import Simulator
from tests.plugins.cloudflare import Serving


@pytest.fixture(scope="session")
def worker_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `wrangler deploy` would upload."""
    out = tmp_path_factory.mktemp("bundle") / "out"
    done = bundle(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def vendors() -> Iterator[world.Vendors]:
    made = world.Vendors()
    with Serving(made.app) as made.origin:
        yield made


@pytest.fixture(scope="session")
def pyodide(worker_bundle: Path, vendors: world.Vendors) -> Iterator[Pyodide]:
    """Pyodide with the records of tests/edge_worker/runtimes/world.py, as Django's adapter wrote them."""
    with Pyodide(worker_bundle, world.variables(vendors.origin)) as runtime:
        kv = runtime.kv().kv()
        assert kv.put(world.records(vendors.origin)) == {}
        kv.close()
        yield runtime


@pytest.fixture(scope="session")
def cpython(pyodide: Pyodide, vendors: world.Vendors) -> Iterator[CPython]:
    """The app in this process; it reads the same KV."""
    with CPython(pyodide.kv(), world.variables(vendors.origin)) as runtime:
        yield runtime


@pytest.fixture(scope="session")
def both(pyodide: Pyodide, cpython: CPython) -> tuple[CPython, Pyodide]:
    return cpython, pyodide


@pytest.fixture
def simulator(pyodide: Pyodide) -> Simulator:
    """Cloudflare's own simulator of KV, a namespace of it that nobody has used."""
    return Simulator(pyodide.facts["explorer"], uuid.uuid4().hex)
