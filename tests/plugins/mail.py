"""What mails a call sends: `told`."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def told(mailoutbox: list[Any], django_capture_on_commit_callbacks: Any) -> Callable[..., list[str]]:
    """`told(call)` → the subjects of the mails that the call sent."""

    def run(call: Callable[[], object]) -> list[str]:
        before = len(mailoutbox)
        with django_capture_on_commit_callbacks(execute=True):
            call()
        return [mail.subject for mail in mailoutbox[before:]]

    return run
