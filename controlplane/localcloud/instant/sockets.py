"""A session over a websocket."""

import asyncio
import contextlib

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from controlplane.localcloud.instant.outbox import Outbox, Overflow
from controlplane.localcloud.instant.session import Session

TOO_SLOW = 1013  # "try again later": the client reconnects


async def websocket(socket: WebSocket) -> None:
    """`GET /runtime/session?app_id=`"""
    await socket.accept()
    session = Session(socket.app.state.engines)
    tasks = [
        asyncio.create_task(_receive_all(socket, session)),
        asyncio.create_task(_send_all(socket, session.outbox)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        session.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if session.outbox.overflowed:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await asyncio.wait_for(socket.close(TOO_SLOW, "too slow"), 1)  # it may not read even that


async def _receive_all(socket: WebSocket, session: Session) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        session.receive(message.get("text") or "")
        await asyncio.sleep(0)  # a client that sends without pause must not keep the others waiting


async def _send_all(socket: WebSocket, outbox: Outbox) -> None:
    with contextlib.suppress(Overflow, WebSocketDisconnect, RuntimeError):  # gone, one way or the other
        while True:
            await socket.send_text(await outbox.get())


routes = [WebSocketRoute("/runtime/session", websocket)]
