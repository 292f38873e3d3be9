"""What is the Worker's own in Pyodide: how it starts and what it asks of its bindings. Its answers are compared with
CPython's in runtimes/.

Needs `make edge-tools`: npm packages in edge_worker/node_modules, Python packages in edge_worker/python_modules.
"""

import json
import tomllib

import pytest

from controlplane.deploy.edge import WORKER
from tests.edge_worker.memory import CONVERSATION
from tests.edge_worker.runtimes.asked import Asked, Whole
from tests.edge_worker.runtimes.pyodide import Pyodide
from tests.edge_worker.runtimes.world import Vendors

pytestmark = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]

SHOP = "https://pots.test"


def ask(pyodide: Pyodide, path: str, **more: object) -> Whole:
    return pyodide.ask(Asked(url=SHOP + path, **more)).whole()  # type: ignore[arg-type]


def chat(pyodide: Pyodide, visitor: str) -> Whole:
    value = {"conversation": CONVERSATION, "messages": [{"role": "user", "content": "Is the jug sturdy?"}]}
    headers = {"content-type": "application/json", "cf-connecting-ip": visitor}
    return ask(pyodide, "/api/chat", method="POST", headers=headers, body=json.dumps(value).encode())


@pytest.mark.parametrize("path", ["/", "/products", "/search?q=jug", "/cart", "/nothing"])
def test_a_page_costs_one_read_from_kv_that_the_location_may_keep_for_30_seconds(pyodide: Pyodide, path: str) -> None:
    ask(pyodide, path)
    assert pyodide.last["reads"] == [{"key": "domain:pots.test", "options": {"cacheTtl": 30}}]


def test_products_come_from_instant_as_a_guest_and_of_this_shop_only(pyodide: Pyodide, vendors: Vendors) -> None:
    vendors.asked.clear()
    ask(pyodide, "/products")
    [(headers, body)] = vendors.asked_of("instant/admin/query")
    assert (headers["as-guest"], headers["app-id"]) == ("true", "app-1")
    assert body["query"]["products"]["$"]["where"] == {"tenantId": "t-a"}


def test_passages_are_read_with_the_read_only_token(pyodide: Pyodide, vendors: Vendors) -> None:
    vendors.asked.clear()
    ask(pyodide, "/search?q=sturdy")
    assert {headers["authorization"] for headers, _ in vendors.asked_of("turso/v2/pipeline")} == {"Bearer read-only"}


def test_a_chats_parts_leave_as_they_are_made(pyodide: Pyodide) -> None:
    answer = chat(pyodide, "203.0.113.9")
    assert answer.parts >= answer.text.count("event: ")
    assert pyodide.last["limited"]["VISITOR_LIMITER"] == ["203.0.113.9"]
    assert pyodide.last["limited"]["SHOP_LIMITER"] == ["t-a"]


def test_a_chats_turn_is_written_after_the_answer_with_a_token_of_its_own(pyodide: Pyodide, vendors: Vendors) -> None:
    vendors.asked.clear()
    chat(pyodide, "203.0.113.10")
    asked = vendors.asked_of("telemetry/v2/pipeline")
    assert {headers["authorization"] for headers, _ in asked} == {"Bearer telemetry"}
    steps = [step["stmt"] for _, body in asked for step in body["requests"][0]["batch"]["steps"]]
    [turn] = [step for step in steps if step["sql"].startswith("INSERT INTO turn")]
    assert "Is the jug sturdy?" in [argument["value"] for argument in turn["args"]]


def test_importing_the_worker_draws_no_randomness(pyodide: Pyodide) -> None:
    """Cloudflare imports once, for a snapshot, and refuses a Worker that asks for entropy then."""
    assert pyodide.facts["drawnByPython"] > 0  # the counter works: Python's own `random` draws its seed
    assert pyodide.facts["drawnByWorker"] == 0


def test_the_python_is_the_one_that_the_project_names(pyodide: Pyodide) -> None:
    project = tomllib.loads((WORKER / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={'.'.join(pyodide.facts['python'].split('.')[:2])}"
