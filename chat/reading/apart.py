"""Reads a stranger's file in a process of its own: a file that hangs, crashes or eats memory ends that one only."""

import json
import subprocess
import sys
from pathlib import Path

from chat.reading.errors import Text, UnreadableError

SECONDS = 60.0
ROOT = Path(__file__).resolve().parents[2]
TOO_MUCH = "It could not be read within a minute. Copy its text into a new, simpler file."


def read_apart(name: str, data: bytes) -> Text:
    """As `chat.reading.read`. The process gets nothing of our environment: no address, no token."""
    command = [sys.executable, "-m", "chat.reading", name]
    environment = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own module; the name is an argument, not a command
            command, input=data, capture_output=True, timeout=SECONDS, env=environment, cwd=ROOT, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnreadableError(TOO_MUCH) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise UnreadableError(TOO_MUCH) from None
    if "error" in answer:
        raise UnreadableError(str(answer["error"]))
    return Text(str(answer["title"]), str(answer["body"]))
