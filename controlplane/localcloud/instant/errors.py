"""The vendor's typed errors and their HTTP shape (server: util/exception.clj, util/http.clj wrap-errors)."""

import uuid
from collections.abc import Sequence
from typing import Any

# Everything else that has a type is a 400, permission-denied and a wrong admin token included.
STATUS = {"rate-limited": 429, "timeout": 429, "operation-timed-out": 500, "sql-exception": 500}


class Refusal(Exception):  # noqa: N818 - what the server says to a client; not a fault of the server
    """One typed error: `kind` is the wire's `type`, `hint` its machine-readable half."""

    def __init__(self, kind: str, message: str, hint: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint or {}

    @property
    def status(self) -> int:
        return STATUS.get(self.kind, 400)

    def body(self) -> dict[str, Any]:
        return {"type": self.kind, "message": self.message, "hint": self.hint, "trace-id": uuid.uuid4().hex}


def invalid(data_type: str, input: Any, *errors: dict[str, Any]) -> Refusal:  # noqa: A002 - the wire's own word
    """validation-failed. Each error may hold `message`, `in` (a path into the input), `expected` and `hint`."""
    messages = [error["message"] for error in errors if "message" in error]
    message = f"Validation failed for {data_type}" + (f": {', '.join(messages)}" if messages else "")
    return Refusal("validation-failed", message, {"data-type": data_type, "input": input, "errors": list(errors)})


def not_found(record_type: str, **hint: Any) -> Refusal:
    return Refusal("record-not-found", f"Record not found: {record_type}", {**hint, "record-type": record_type})


def denied(etype: str, scope: str = "object") -> Refusal:
    """A permission rule said no; `scope` is `object`, or `attr` for schema changes."""
    return Refusal(
        "permission-denied", "Permission denied: not perms-pass?", {"input": [etype, scope], "expected": "perms-pass?"}
    )


def param_missing(*path: str) -> Refusal:
    return Refusal("param-missing", f"Missing parameter: {_vector(path)}", {"in": list(path)})


def param_malformed(original: Any, *path: str) -> Refusal:
    return Refusal(
        "param-malformed", f"Malformed parameter: {_vector(path)}", {"in": list(path), "original-input": original}
    )


def _vector(path: Sequence[str]) -> str:
    return "[" + " ".join(f'"{part}"' for part in path) + "]"
