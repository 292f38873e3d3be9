"""`make deploy-edge` refuses with everything that is missing, and asks Cloudflare for nothing in a dry run."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from controlplane.deploy import edge

FILLED = """{
  // Everything is filled in.
  "env": { "staging": {
    "routes": [{ "pattern": "*/*", "zone_name": "shops.test" }],
    "kv_namespaces": [{ "binding": "KV", "id": "0123456789abcdef0123456789abcdef" }],
    "vars": { "TURSO_URL": "https://vectors.turso.io", "IMG_SRC": "" }, // addresses
    "secrets": { "required": ["TURSO_READ_TOKEN", "TELEMETRY_WRITE_TOKEN"] }
  } }
}"""


class Machine:
    """git and wrangler as they answer, and what was asked of them."""

    def __init__(self, *, dirty: str = "", secrets: str = "[]", ended: int = 0) -> None:
        self.answers = {"status": (dirty, 0), "rev-parse": ("abc1234\n", 0), "secret": (secrets, ended)}
        self.asked: list[str] = []

    def __call__(self, command: Sequence[str], cwd: Path) -> "subprocess.CompletedProcess[str]":
        words = [word for word in command if word in self.answers]
        self.asked += words
        out, status = self.answers[words[0]]
        return subprocess.CompletedProcess(command, status, out, "")


def secrets(*names: str) -> str:
    return json.dumps([{"name": name, "type": "secret_text"} for name in names])


def test_a_dry_run_asks_git_and_nobody_else() -> None:
    machine = Machine()
    assert edge.check("staging", dry_run=True, run=machine, text=FILLED) == "abc1234"
    assert machine.asked == ["status", "rev-parse"]


def test_the_placeholders_of_the_checkout_are_all_named() -> None:
    with pytest.raises(edge.RefusedError) as refused:
        edge.check("production", dry_run=True, run=Machine())
    for text in ('id of "KV" is still zeros', "zone is still example.com", "TURSO_URL is still", "TELEMETRY_URL is"):
        assert text in str(refused.value)


def test_a_tree_with_changes_is_not_deployed() -> None:
    with pytest.raises(edge.RefusedError, match="not committed"):
        edge.check("staging", dry_run=True, run=Machine(dirty=" M edge_worker/src/entry.py\n"), text=FILLED)


def test_an_unknown_environment_is_named_with_those_there_are() -> None:
    with pytest.raises(edge.RefusedError, match="ENV must be one of staging, production"):
        edge.check("prod", dry_run=True, run=Machine())


def test_each_missing_secret_comes_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in edge.CREDENTIALS:
        monkeypatch.setenv(name, "x")
    with pytest.raises(edge.RefusedError) as refused:
        edge.check("staging", dry_run=False, run=Machine(secrets=secrets("TURSO_READ_TOKEN")), text=FILLED)
    assert "wrangler secret put TELEMETRY_WRITE_TOKEN --env staging" in str(refused.value)
    assert "TURSO_READ_TOKEN" not in str(refused.value)
    all_set = Machine(secrets=secrets("TURSO_READ_TOKEN", "TELEMETRY_WRITE_TOKEN"))
    assert edge.check("staging", dry_run=False, run=all_set, text=FILLED) == "abc1234"


def test_a_worker_that_is_not_there_yet_lacks_every_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in edge.CREDENTIALS:
        monkeypatch.setenv(name, "x")
    nobody = Machine(secrets="This Worker does not exist on your account. [code: 10007]", ended=1)
    with pytest.raises(edge.RefusedError) as refused:
        edge.check("staging", dry_run=False, run=nobody, text=FILLED)
    assert str(refused.value).count("wrangler secret put") == 2


def test_without_credentials_wrangler_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in edge.CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    machine = Machine()
    with pytest.raises(edge.RefusedError, match="CLOUDFLARE_API_TOKEN is not set"):
        edge.check("staging", dry_run=False, run=machine, text=FILLED)
    assert "secret" not in machine.asked


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_an_environment_has_every_binding_and_variable_of_the_local_one(environment: str) -> None:
    """Wrangler inherits none of these: one that is forgotten is missing in production only."""
    local = edge.configuration((edge.WORKER / "wrangler.jsonc").read_text("utf-8"))
    section = local["env"][environment]
    for name in ("kv_namespaces", "ratelimits"):
        key = "binding" if name == "kv_namespaces" else "name"
        assert [one[key] for one in section[name]] == [one[key] for one in local[name]]
    assert (section["vars"].keys(), section["ai"], section["secrets"]) == (
        local["vars"].keys(),
        local["ai"],
        local["secrets"],
    )


def test_no_two_environments_share_a_rate_limit_or_a_name() -> None:
    local = edge.configuration((edge.WORKER / "wrangler.jsonc").read_text("utf-8"))
    sections = [local["env"]["staging"], local["env"]["production"]]
    ids = [one["namespace_id"] for section in sections for one in section["ratelimits"]]
    assert len(set(ids)) == len(ids)
    assert len({section["name"] for section in sections}) == 2
