"""Who is where: rooms with presence and topics, in memory only (server: reactive/ephemeral.clj).

No rule guards a room: whoever knows its id may join it, so an id must be a secret that can't be guessed.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from controlplane.localcloud.instant.errors import invalid


class Member(Protocol):
    """A session. `push` sends a message; an unsent one of the same `key` is replaced."""

    @property
    def id(self) -> str: ...

    @property
    def user_id(self) -> str | None: ...

    def push(self, message: Mapping[str, Any], key: str | None = None) -> None: ...


@dataclasses.dataclass
class Room:
    members: dict[Member, Any] = dataclasses.field(default_factory=dict)

    def sessions(self) -> dict[str, Any]:
        """By session id: who, and with what presence."""
        return {
            member.id: {"peer-id": member.id, "user": member.user_id and {"id": member.user_id}, "data": data}
            for member, data in self.members.items()
        }


class Rooms:
    """The rooms of one app, by id. The vendor ignores a room's type too."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def sessions(self, room_id: str) -> dict[str, Any] | None:
        room = self._rooms.get(room_id)
        return room.sessions() if room else None

    def join(self, room_id: str, member: Member, data: Any) -> None:
        self._rooms.setdefault(room_id, Room()).members[member] = data or {}
        self._announce(room_id)

    def set_presence(self, room_id: str, member: Member, data: Any) -> None:
        self._entered(room_id, member).members[member] = data
        self._announce(room_id)

    def broadcast(self, room_id: str, member: Member, topic: Any, data: Any) -> dict[str, Any]:
        """Sends to the others, and returns what was sent."""
        room = self._entered(room_id, member)
        payload = {"peer-id": member.id, "user": member.user_id and {"id": member.user_id}, "data": data}
        message = {"room-id": room_id, "topic": topic, "data": payload}
        for other in room.members:
            if other is not member:
                other.push({"op": "server-broadcast", **message})
        return message

    def leave(self, room_id: str, member: Member) -> None:
        room = self._rooms.get(room_id)
        if room and room.members.pop(member, None) is not None:
            self._announce(room_id)

    def leave_all(self, member: Member) -> None:
        for room_id in [room_id for room_id, room in self._rooms.items() if member in room.members]:
            self.leave(room_id, member)

    def _entered(self, room_id: str, member: Member) -> Room:
        room = self._rooms.get(room_id)
        if room is None or member not in room.members:
            hint = {"room-id": room_id, "session-id": member.id}
            raise invalid("room", hint, {"message": "You have not entered this room yet."})
        return room

    def _announce(self, room_id: str) -> None:
        """To everyone in the room, whoever changed something included, and as a whole: patches are optional."""
        room = self._rooms[room_id]
        if not room.members:
            del self._rooms[room_id]
        message = {"op": "refresh-presence", "room-id": room_id, "data": room.sessions()}
        for member in room.members:
            member.push(message, key=f"presence {room_id}")
