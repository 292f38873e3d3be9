"""From a write to the push: `python -m tests.benchmarks.realtime_fanout [--seconds 20] [--rate 200]`.

A stand-in of its own process, 100 tenants of 500 products, 1,000 open websockets with one subscription each, as pages
have them: half of them the first 24 products of a shop in order, three of ten a product, two of ten a cart with its
lines. Writes come at a fixed rate, half of them to products on somebody's screen, a tenth to carts, the rest anywhere.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from controlplane.localcloud import defaults
from tests.plugins.instant import product, tenant

APP, TOKEN = defaults.INSTANT_APP_ID, defaults.INSTANT_ADMIN_TOKEN
PAGE = 24


def shop_id(shop: int) -> str:
    return f"{shop:08d}-0000-4000-8000-00000000000a"


def product_id(shop: int, number: int) -> str:
    return f"{shop:08d}-0000-4000-9000-{number:012d}"


@dataclasses.dataclass
class Screen:
    """One open page. `waiting` are writes that it has not shown yet: what to look for, and when it was sent."""

    query: dict[str, Any]
    shows: Sequence[str]
    waiting: dict[str, tuple[str, float]] = dataclasses.field(default_factory=dict)
    cart: tuple[str, str] | None = None

    def see(self, frame: str | bytes, delays: list[float]) -> None:
        now, text = time.perf_counter(), frame if isinstance(frame, str) else frame.decode()
        for entity, (mark, sent) in list(self.waiting.items()):
            if mark in text:
                delays.append((now - sent) * 1000)
                del self.waiting[entity]


def screens(shops: int, products: int, count: int) -> list[Screen]:
    made = []
    for number in range(count):
        shop, kind = number % shops, (number // shops) % 10
        if kind < 5:
            where = {"where": {"tenantId": shop_id(shop)}, "order": {"position": "asc"}, "limit": PAGE}
            made.append(Screen({"products": {"$": where}}, [product_id(shop, n) for n in range(PAGE)]))
        elif kind < 8:
            one = product_id(shop, random.randrange(products))
            made.append(Screen({"products": {"$": {"where": {"id": one}}}}, [one]))
        else:
            cart, item = str(uuid.uuid4()), str(uuid.uuid4())
            query = {"carts": {"$": {"where": {"id": cart}}, "items": {}}}
            made.append(Screen(query, [item], cart=(cart, item)))
    return made


def seed(uri: str, shops: int, products: int, open_screens: Sequence[Screen]) -> None:
    headers = {"app-id": APP, "authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=uri, headers=headers, timeout=60) as http:
        for steps in _seed_steps(shops, products, open_screens):
            http.post("/admin/transact", json={"steps": steps}).raise_for_status()


def _seed_steps(shops: int, products: int, open_screens: Sequence[Screen]) -> Iterator[list[Any]]:
    for shop in range(shops):
        owner, steps = shop_id(shop), [["update", "tenants", shop_id(shop), tenant(f"shop-{shop}")]]
        for number in range(products):
            one = product_id(shop, number)
            steps += [["update", "products", one, product(owner, number)], ["link", "products", one, {"tenant": owner}]]
            if len(steps) > 200:
                yield steps
                steps = []
        yield steps
    for screen in open_screens:
        if screen.cart:
            cart, item = screen.cart
            line = {"productId": product_id(0, 0), "quantity": 1, "addedAt": 1_795_000_000_000}
            yield [
                ["update", "carts", cart, {"tenantId": shop_id(0), "ownerId": "me", "createdAt": 1_795_000_000_000}],
                ["update", "cartItems", item, line],
                ["link", "cartItems", item, {"cart": cart}],
            ]


async def session(uri: str, **more: str) -> tuple[ClientConnection, dict[str, Any]]:
    ws = await connect(uri, compression=None, max_size=None, open_timeout=60)
    await ws.send(json.dumps({"op": "init", "app-id": APP, **more}))
    return ws, json.loads(await ws.recv())


async def watch(uri: str, screen: Screen, delays: list[float], ready: asyncio.Event, bytes_in: list[int]) -> None:
    # The lines of a cart are its owner's only; the bench looks with the admin's eyes.
    more = {"__admin-token": TOKEN} if screen.cart else {}
    ws, _ = await session(uri, **more)
    await ws.send(json.dumps({"op": "add-query", "q": screen.query}))
    answer = json.loads(await ws.recv())
    assert answer["op"] == "add-query-ok", answer
    ready.set()
    async for frame in ws:
        bytes_in[0] += len(frame)
        screen.see(frame, delays)


async def write(uri: str, seconds: float, rate: float, shops: int, products: int, all_screens: Sequence[Screen]) -> int:
    ws, hello = await session(uri, **{"__admin-token": TOKEN})
    attrs = {tuple(attr["forward-identity"][1:]): attr["id"] for attr in hello["attrs"]}
    price, quantity = attrs["products", "price"], attrs["cartItems", "quantity"]
    seen: dict[str, list[Screen]] = {}
    for screen in all_screens:
        for entity in screen.shows:
            seen.setdefault(entity, []).append(screen)
    carts = [screen.shows[0] for screen in all_screens if screen.cart]
    shown = [entity for entity in seen if entity not in set(carts)]
    refused: list[str] = []
    drain = asyncio.create_task(_drain(ws, refused))
    start, done = time.perf_counter(), 0
    while (now := time.perf_counter()) < start + seconds:
        if now < start + done / rate:
            await asyncio.sleep(start + done / rate - now)
        done += 1
        kind, mark = random.random(), 10_000_000 + done
        if kind < 0.1 and carts:
            entity, attr = random.choice(carts), quantity
        elif kind < 0.6:
            entity, attr = random.choice(shown), price
        else:
            entity, attr = product_id(random.randrange(shops), random.randrange(products)), price
        step = ["add-triple", entity, attr, mark, {"mode": "update"}]
        sent = time.perf_counter()
        for screen in seen.get(entity, ()):
            screen.waiting[entity] = (str(mark), sent)
        await ws.send(json.dumps({"op": "transact", "tx-steps": [step]}))
    await asyncio.sleep(2)
    drain.cancel()
    assert not refused, refused[0]
    return done


async def _drain(ws: ClientConnection, refused: list[str]) -> None:
    async for frame in ws:
        refused += [str(frame)] if '"op":"error"' in str(frame) else []


async def run(port: int, options: argparse.Namespace) -> None:
    uri, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/runtime/session?app_id={APP}"
    everyone = screens(options.shops, options.products, options.subscriptions)
    began = time.perf_counter()
    await asyncio.to_thread(seed, uri, options.shops, options.products, everyone)
    print(f"{options.shops} shops of {options.products} products seeded in {time.perf_counter() - began:.1f} s")
    delays: list[float] = []
    bytes_in = [0]
    ready = [asyncio.Event() for _ in everyone]
    began = time.perf_counter()
    watchers = []
    for screen, event in zip(everyone, ready, strict=True):
        watchers.append(asyncio.create_task(watch(ws, screen, delays, event, bytes_in)))
        if len(watchers) % 50 == 0:
            await event.wait()
    await asyncio.gather(*(event.wait() for event in ready))
    print(f"{len(everyone)} subscriptions open in {time.perf_counter() - began:.1f} s")
    begun, bytes_in[0] = time.perf_counter(), 0
    writes = await write(ws, options.seconds, options.rate, options.shops, options.products, everyone)
    took = time.perf_counter() - begun - 2
    missing = sum(len(screen.waiting) for screen in everyone)
    for watcher in watchers:
        watcher.cancel()
    report(delays, writes, took, missing, bytes_in[0])


def report(delays: list[float], writes: int, took: float, missing: int, received: int) -> None:
    cuts = statistics.quantiles(delays, n=100)
    print(f"{writes} writes in {took:.1f} s ({writes / took:.0f}/s), {received / took / 1e6:.1f} MB/s received")
    print(f"{'pushes seen':>12} {'never seen':>11} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    row = f"{len(delays):>12} {missing:>11} {cuts[49]:>8.1f} {cuts[94]:>8.1f} {cuts[98]:>8.1f} {max(delays):>8.1f}"
    print(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=100)
    parser.add_argument("--products", type=int, default=500)
    parser.add_argument("--subscriptions", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=200, help="writes a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--profile", help="write a cProfile of the server to this file")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    profiler = ["-m", "cProfile", "-o", options.profile] if options.profile else []
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, *profiler, "-m", "controlplane.localcloud.instant", "--port", str(port)]
        server = subprocess.Popen([*command, "--data", data], cwd=Path(__file__).parents[2], env={**os.environ})
        try:
            _wait(port)
            asyncio.run(run(port, options))
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)


def _wait(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the stand-in did not start")


if __name__ == "__main__":
    main()
