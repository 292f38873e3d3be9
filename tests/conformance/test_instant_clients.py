"""The vendor's npm clients, core, admin and platform, by the checks in clients.mjs."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import EDGE_WORKER, Target, run_node

SCRIPT = Path(__file__).with_name("clients.mjs")
CHECKS = re.findall(r'^check\("([^"]+)"', SCRIPT.read_text(), re.MULTILINE)

pytestmark = pytest.mark.xdist_group("conformance")


@pytest.fixture(scope="module")
def outcomes(target: Target) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in run_node(SCRIPT, EDGE_WORKER, env=target.environment)}


@pytest.mark.parametrize("name", CHECKS)
def test_client(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    assert outcomes[name]["ok"], outcomes[name]["error"]
