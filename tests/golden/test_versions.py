"""Two versions of the contract at once: the Worker is deployed first, so it meets records of N-1 and, after a rollback,
of N+1; and a Worker of N-1 meets what a publisher of N writes.

A version is raised only where an old reader would misread a new record. Until that happened the versions around today's
are made here from the golden record, by what a change of each kind does to it.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from storefront import codec, documents, pages
from storefront.documents import VERSION, DocumentError, DomainRecord

NEWEST = (Path(__file__).parent / f"record-v{VERSION}.json").read_text("utf-8")


def grown(value: Any) -> Any:
    """As a later publisher of the same version may write it: a new field in every object, a new kind of section."""
    if isinstance(value, dict):
        return {key: grown(inner) for key, inner in value.items()} | {"added_later": {"deep": [1]}}
    return [grown(inner) for inner in value] if isinstance(value, list) else value


def rendered(text: str) -> str:
    return pages.landing(DomainRecord.from_json(text), origin="https://teahouse.example")


def test_todays_reader_ignores_every_field_that_a_later_publisher_adds() -> None:
    later = grown(json.loads(NEWEST))
    later["sections"].insert(1, {"kind": "hologram", "heading": "Tomorrow"})
    assert rendered(json.dumps(later)) == rendered(NEWEST)


@pytest.mark.parametrize(
    "name", [f.name for f in dataclasses.fields(DomainRecord) if f.name not in ("tenant", "version")]
)
def test_todays_reader_does_without_every_field_that_an_earlier_publisher_had_not(name: str) -> None:
    earlier = json.loads(NEWEST)
    earlier.pop(name, None)
    assert "<!doctype html>" in rendered(json.dumps(earlier))


def test_a_reader_of_the_next_version_reads_todays_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "VERSION", VERSION + 1)
    assert rendered(NEWEST) == rendered(json.dumps(json.loads(NEWEST)))
    assert DomainRecord.from_json(NEWEST).version == VERSION


def test_a_reader_of_the_version_before_refuses_what_it_would_misread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page then says that the shop is being updated (503, crawlers come back): never a wrong price."""
    monkeypatch.setattr(documents, "VERSION", VERSION - 1)
    with pytest.raises(DocumentError, match="newer than this reader"):
        DomainRecord.from_json(NEWEST)


def test_every_version_that_may_be_in_kv_has_its_golden_record() -> None:
    """The Worker reads N and N-1: both are rendered by test_golden_records.py."""
    kept = {path.stem for path in Path(__file__).parent.glob("record-v*.json")}
    assert {f"record-v{version}" for version in (VERSION - 1, VERSION) if version > 0} <= kept


def test_a_field_that_is_no_longer_written_may_stay_in_old_records() -> None:
    data = json.loads(NEWEST) | {"removed_since": "yes"}
    again = json.loads(codec.decode(DomainRecord, data).to_json())
    assert "removed_since" not in again
    assert again["revision"] == DomainRecord.from_json(NEWEST).revision
