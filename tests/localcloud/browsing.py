"""A browser's websocket to the stand-in, and what a shop has there."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.plugins.instant import InstantCloud

SHOP = "11111111-1111-4111-8111-111111111111"
MUG = "22222222-2222-4222-8222-222222222222"
CART = "33333333-3333-4333-8333-333333333333"
SECRET = "s3cret-that-nobody-can-guess-000000"
LINE = "44444444-4444-4444-8444-444444444444"
PRODUCTS = {"products": {"$": {"where": {"tenantId": SHOP}, "order": {"position": "asc"}}}}


class Browser:
    """One socket. `ask` sends an event and returns the answer to it, keeping what else arrives in `pushed`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.pushed: list[dict[str, Any]] = []
        self.attrs: dict[tuple[str, str], str] = {}

    def ask(self, op: str, **rest: Any) -> dict[str, Any]:
        event = {"op": op, "client-event-id": str(uuid.uuid4()), **{_dashed(k): v for k, v in rest.items()}}
        self.socket.send(json.dumps(event))
        while True:
            message = self.next()
            if message.get("client-event-id") == event["client-event-id"]:
                return message
            self.pushed.append(message)

    def next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=10))
        return message

    def push(self, op: str) -> dict[str, Any]:
        """The next message of that kind, asked for or not."""
        while not (found := [message for message in self.pushed if message["op"] == op]):
            self.pushed.append(self.next())
        self.pushed.remove(found[0])
        return found[0]

    def write(self, etype: str, entity: str, mode: str = "upsert", **values: Any) -> dict[str, Any]:
        return self.ask("transact", tx_steps=self.steps(etype, entity, mode, **values))

    def steps(self, etype: str, entity: str, mode: str = "upsert", **values: Any) -> list[Any]:
        given = {"id": entity, **values}
        options = [{"mode": mode}] if mode != "upsert" else []
        return [["add-triple", entity, self.attrs[etype, label], value, *options] for label, value in given.items()]


def _dashed(name: str) -> str:
    return name if name.startswith("__") else name.replace("_", "-")


@contextmanager
def browsing(cloud: InstantCloud, init: Any = True, **more: Any) -> Iterator[Browser]:
    uri = f"{cloud.api_uri.replace('http', 'ws')}/runtime/session?app_id={cloud.app_id}"
    with connect(uri, max_size=None) as socket:
        browser = Browser(socket)
        if init:
            answer = browser.ask("init", app_id=cloud.app_id, **more)
            assert answer["op"] == "init-ok", answer
            browser.attrs = {tuple(attr["forward-identity"][1:]): attr["id"] for attr in answer["attrs"]}
        yield browser


def admin(cloud: InstantCloud, *steps: Any) -> dict[str, Any]:
    answer: dict[str, Any] = cloud.post("/admin/transact", {"steps": list(steps)}).json()
    return answer


def guest(cloud: InstantCloud) -> dict[str, Any]:
    user: dict[str, Any] = httpx.post(
        f"{cloud.api_uri}/runtime/auth/sign_in_guest", json={"app-id": cloud.app_id}
    ).json()["user"]
    return user


def triples(result: list[Any]) -> list[list[Any]]:
    (node,) = result
    (row,) = node["data"]["datalog-result"]["join-rows"]
    assert node["child-nodes"] == []
    return row  # type: ignore[no-any-return]


def labels(browser: Browser, result: list[Any]) -> set[tuple[str, Any]]:
    """What the triples say, by attribute name."""
    names = {attr_id: ".".join(name) for name, attr_id in browser.attrs.items()}
    return {(names[a], json.dumps(v)) for _, a, v, _ in triples(result)}
