"""`instant-cli`, unchanged, pushes and pulls; `manage.py push_instant` is how the project calls it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from controlplane.localcloud.instant.schema import attrs_of, random_ids, storefront, storefront_rules
from controlplane.publishing.management.commands.push_instant import environment
from tests.conformance.conftest import EDGE_WORKER, Target
from tests.plugins.node import NODE

pytestmark = pytest.mark.xdist_group("conformance")


def node(*arguments: str | Path, env: dict[str, str], cwd: Path = EDGE_WORKER) -> str:
    if not (EDGE_WORKER / "node_modules/instant-cli").exists():
        pytest.skip("needs `make edge-tools`")
    done = subprocess.run(
        [NODE, *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def cell(target: Target, settings: Any) -> dict[str, str]:
    cell = {"app_id": target.app_id, "admin_token": target.admin_token, "api_uri": target.api_uri}
    settings.REALTIME_CELLS = {"default": {**cell, "websocket_uri": target.websocket_uri}}
    return cell


def test_the_push_brings_schema_and_rules_and_the_next_finds_nothing_to_do(
    target: Target, cell: dict[str, str]
) -> None:
    if not (EDGE_WORKER / "node_modules/instant-cli").exists():
        pytest.skip("needs `make edge-tools`")
    call_command("push_instant", verbosity=0)
    headers = {"authorization": f"Bearer {target.admin_token}"}
    one = f"{target.api_uri}/superadmin/apps/{target.app_id}"
    assert httpx.get(f"{one}/perms", headers=headers).json()["perms"] == storefront_rules()
    blobs = httpx.get(f"{one}/schema", headers=headers).json()["schema"]["blobs"]
    for attr in attrs_of(storefront(), random_ids):
        if not attr.is_ref and attr.label != "id":
            stored = blobs[attr.etype][attr.label]
            flags = [stored[name] for name in ("unique?", "index?", "required?", "checked-data-type")]
            assert flags == [attr.unique, attr.indexed, attr.required, attr.data_type], attr.name
    env = {**target.environment, **environment(cell)}
    said = node("node_modules/instant-cli/bin/index.js", "push", "all", "--yes", env=env)
    assert "No schema changes to apply" in said
    assert "No perms changes to apply" in said


def test_a_pull_writes_what_was_pushed(storefront_app: Target, cell: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"dependencies": {"@instantdb/core": "1.0.67"}}')
    (tmp_path / "node_modules").symlink_to(EDGE_WORKER / "node_modules")
    env = {**storefront_app.environment, **environment(cell)}
    node(EDGE_WORKER / "node_modules/instant-cli/bin/index.js", "pull", "all", "--yes", env=env, cwd=tmp_path)
    assert "shareSecret: i.string().indexed().optional()" in (tmp_path / "instant.schema.ts").read_text()
    assert "'active' in data.ref('tenant.status')" in (tmp_path / "instant.perms.ts").read_text()


def test_a_wrong_token_is_said_plainly(cell: dict[str, str], settings: Any) -> None:
    if not (EDGE_WORKER / "node_modules/instant-cli").exists():
        pytest.skip("needs `make edge-tools`")
    wrong = "00000000-0000-4000-8000-000000000000"
    settings.REALTIME_CELLS["default"]["admin_token"] = wrong
    with pytest.raises(CommandError, match="Instant cell default: instant-cli failed") as caught:
        call_command("push_instant", verbosity=0)
    assert wrong not in str(caught.value)


def test_the_json_form_is_that_of_the_two_files() -> None:
    """`make instant-json` writes it."""
    printed = json.loads(node("--no-warnings", "instant.json.mjs", env={}))
    assert printed == {"schema": storefront(), "rules": storefront_rules()}
