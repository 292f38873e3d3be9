"""An app's users, their refresh tokens and magic codes (server: model/app_user*.clj, runtime/magic_code_auth.clj).

They are entities like any other, in `$users`, `$userRefreshTokens` and `$magicCodes`. Tokens and codes are stored as
hashes only, so nobody who reads the file can sign in with what it says.
"""

import hashlib
import re
import secrets
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from controlplane.localcloud.instant.errors import Refusal, invalid, not_found
from controlplane.localcloud.instant.permissions import ADMIN
from controlplane.localcloud.instant.values import as_uuid

if TYPE_CHECKING:
    from controlplane.localcloud.instant.engine import Engine

User = dict[str, Any]

EMAIL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?")
CODE_LIFETIME = 24 * 3600.0
CODES_AN_HOUR = 20


def as_email(value: Any) -> str | None:
    """The address in its canonical form, or None for what is none."""
    plain = value.lower().strip() if isinstance(value, str) else ""
    return plain if EMAIL.fullmatch(plain) else None


class Users:
    def __init__(self, engine: "Engine") -> None:
        self.engine = engine
        self._attempts: dict[tuple[str, str], list[float]] = defaultdict(list)

    # Finding: each raises record-not-found

    def by_token(self, refresh_token: str) -> User:
        user = self.find({"$userRefreshTokens.hashedToken": _hash_token(refresh_token)})
        return _found(user, {"app-id": self.engine.app.id})

    def by_email(self, email: str) -> User:
        return _found(self.find({"email": email}), {"app-id": self.engine.app.id, "email": email})

    def find(self, where: Mapping[str, Any]) -> User | None:
        found = self._all("$users", where)
        return found[0] if found else None

    def _all(self, etype: str, where: Mapping[str, Any]) -> list[dict[str, Any]]:
        entities: list[dict[str, Any]] = self.engine.query(ADMIN, {etype: {"$": {"where": where}}})[etype]
        return entities

    # Signing in and out

    def sign_in_guest(self, extra: Mapping[str, Any] | None = None, *, by_admin: bool = False) -> User:
        user_id = str(uuid.uuid4())
        self.require_sign_up({"id": user_id}, extra, by_admin=by_admin)
        return self.with_token(self.create({"type": "guest"}, extra, user_id=user_id))

    def create(
        self, fields: Mapping[str, Any], extra: Mapping[str, Any] | None = None, *, user_id: str | None = None
    ) -> User:
        """A new user, with nothing asked of the rules."""
        user_id = user_id or str(uuid.uuid4())
        self.engine.transact(ADMIN, [["update", "$users", user_id, {**fields, **(extra or {})}]])
        return _found(self.find({"id": user_id}), {"id": user_id})

    def require_sign_up(self, wanted: Mapping[str, Any], extra: Mapping[str, Any] | None, *, by_admin: bool) -> None:
        """Raises unless the extra fields exist and, for all but the admin, `$users.allow.create` agrees."""
        self._check_extra(extra or {})
        if not by_admin:
            self.engine.permissions.require_sign_up(
                self.engine.store, {**wanted, **(extra or {})}, asks_more=bool(extra)
            )

    def with_token(self, user: User) -> User:
        """The user with a new refresh token in it, which is the only time that it can be read."""
        token, entity = str(uuid.uuid4()), str(uuid.uuid4())
        steps: list[list[Any]] = [
            ["create", "$userRefreshTokens", entity, {"hashedToken": _hash_token(token)}],
            ["link", "$userRefreshTokens", entity, {"$user": user["id"]}],
        ]
        self.engine.transact(ADMIN, steps)
        return {**user, "refresh_token": token}

    def get_or_create(
        self, email: str | None, user_id: str | None, extra: Mapping[str, Any] | None
    ) -> tuple[User, bool]:
        """The admin's way to a user, by address or else by id: (user, whether it is new)."""
        if known := self.find({"email": email} if email else {"id": user_id}):
            return known, False
        self.require_sign_up({}, extra, by_admin=True)
        return self.create({"email": email} if email else {}, extra, user_id=None if email else user_id), True

    def sign_out(self, refresh_token: str) -> None:
        self._delete("$userRefreshTokens", {"hashedToken": _hash_token(refresh_token)})

    def sign_out_everywhere(self, user_id: str) -> None:
        self._delete("$userRefreshTokens", {"$user": user_id})

    def delete(self, user_id: str) -> None:
        """Their refresh tokens go with them, by cascade."""
        self.engine.transact(ADMIN, [["delete", "$users", user_id]])

    def _delete(self, etype: str, where: Mapping[str, Any]) -> int:
        gone = [["delete", etype, entity["id"]] for entity in self._all(etype, where)]
        if gone:
            self.engine.transact(ADMIN, gone)
        return len(gone)

    # Magic codes

    def magic_code(self, email: str) -> str:
        code = f"{secrets.randbelow(10**6):06}"
        entity = {"codeHash": hashlib.sha256(code.encode()).hexdigest(), "email": email}
        self.engine.transact(ADMIN, [["create", "$magicCodes", str(uuid.uuid4()), entity]])
        return code

    def verify_magic_code(
        self, email: str, code: str, *, guest_token: str | None, extra: Mapping[str, Any] | None, by_admin: bool = False
    ) -> tuple[User, bool]:
        """(user with a new token, whether it is new). A guest becomes that user, or is linked to one who exists."""
        self.limit("consume", email)
        guest = self.by_token(guest_token) if guest_token else None
        guest_id = guest["id"] if guest and guest.get("type") == "guest" else None
        user_id = guest_id or str(uuid.uuid4())
        known = self.find({"email": email})
        if known is None:  # before the code is used up, so that a refusal does not cost it
            self.require_sign_up({"id": user_id, "email": email}, extra, by_admin=by_admin)
        self._consume(email, code)
        user = known or self.create({"email": email, "type": "user"}, extra, user_id=user_id)
        if guest_id and guest_id != user["id"]:
            self.engine.transact(ADMIN, [["link", "$users", guest_id, {"linkedPrimaryUser": user["id"]}]])
        return self.with_token(user), known is None

    def _consume(self, email: str, code: str) -> None:
        hashed = hashlib.sha256(code.strip().encode()).hexdigest()
        query = {"$magicCodes": {"$": {"where": {"codeHash": hashed, "email": email}}}}
        (level,) = self.engine.rows(ADMIN, query)
        if not level.rows:
            raise not_found("app-user-magic-code", args=[{"email": email}])
        row = level.rows[0]
        self.engine.transact(ADMIN, [["delete", "$magicCodes", row.entity]])
        if row.triples[0].created_at / 1000 + CODE_LIFETIME < time.time():
            raise Refusal("record-expired", "Record expired: app-user-magic-code", {"args": [{"email": email}]})

    def limit(self, what: str, email: str) -> None:
        """Raises rate-limited past 20 an hour and address."""
        now, recent = time.monotonic(), self._attempts[what, email]
        recent[:] = [at for at in recent if at > now - 3600]
        if len(recent) >= CODES_AN_HOUR:
            raise Refusal(
                "rate-limited", "Too many verification codes requested for this email. Please try again later."
            )
        recent.append(now)

    def _check_extra(self, extra: Mapping[str, Any]) -> None:
        for label in extra:
            attr = self.engine.store.attrs.forward("$users", label)
            if attr is None:
                message = f"Unknown field: {label}. It must be defined in your $users schema."
                raise invalid("extra-fields", dict(extra), {"message": message})
            if attr.catalog == "system":
                raise invalid("extra-fields", dict(extra), {"message": f"Cannot set system field: {label}"})


def _hash_token(token: str) -> str:
    """sha256 over the sixteen bytes, as the vendor does (util/crypt.clj uuid->sha256)."""
    return hashlib.sha256(uuid.UUID(as_uuid(token)).bytes).hexdigest()


def _found(user: User | None, sought: Mapping[str, Any]) -> User:
    if user is None:
        raise not_found("app-user", args=[dict(sought)])
    return user
