"""Rules are kept for seconds in a process: each test here begins and ends without any."""

from collections.abc import Callable, Iterator

import pytest

from tenants.flags import rules
from tenants.models import ContentRule


@pytest.fixture(autouse=True)
def _no_rules_kept() -> Iterator[None]:
    rules.forget()
    yield
    rules.forget()


@pytest.fixture
def block(db: None) -> Callable[..., ContentRule]:
    """`block("viagra", refuse=True)`, `block("bad.example", kind="host")`."""

    def make(pattern: str, *, kind: str = "word", refuse: bool = False, language: str = "") -> ContentRule:
        rule = ContentRule(kind=kind, pattern=pattern, severity="refuse" if refuse else "flag", language=language)
        rule.full_clean()
        rule.save()
        return rule

    return make
