"""One record per version of the contract: Django produces it, the edge reads and renders it.

When the contract changes: add fields with defaults and regenerate the newest file (the assertion prints it); a new
VERSION gets a new file, and the old one stays as long as old records may be in KV.
"""

import json
from pathlib import Path

import pytest

from storefront import pages
from storefront.documents import SECTIONS, VERSION, DomainRecord
from tenants.documents import domain_records
from tests.golden.shop import golden_shop

FOLDER = Path(__file__).parent
NEWEST = FOLDER / f"record-v{VERSION}.json"


@pytest.mark.django_db
def test_django_produces_the_newest_golden_record() -> None:
    golden_shop()
    produced = domain_records(["teahouse.localhost"])["teahouse.localhost"]
    assert json.loads(produced) == json.loads(NEWEST.read_text()), produced


@pytest.mark.parametrize("path", sorted(FOLDER.glob("record-v*.json")), ids=lambda path: path.stem)
def test_the_edge_reads_and_renders_every_golden_record(path: Path) -> None:
    record = DomainRecord.from_json(path.read_text())
    html = pages.landing(record, origin="https://teahouse.example")
    for text in ("Tea &amp; quiet", "Gyokuro", "€29.90", "Loose?", "Mon to Fri", "Tea &lt;House&gt;"):
        assert text in html
    assert "Not yet" not in html


def test_the_newest_golden_record_has_every_kind_of_section() -> None:
    record = DomainRecord.from_json(NEWEST.read_text())
    assert {section.kind for section in record.sections} == set(SECTIONS)


def test_a_record_reads_back_as_it_was_written() -> None:
    text = NEWEST.read_text().strip()
    assert json.loads(DomainRecord.from_json(text).to_json()) == json.loads(text)


def test_unknown_fields_and_unknown_kinds_of_section_are_ignored() -> None:
    data = json.loads(NEWEST.read_text())
    data |= {"from_the_future": 1, "sections": [{"kind": "hologram"}, *data["sections"]]}
    data["seo"]["also_new"] = True
    assert len(DomainRecord.from_json(json.dumps(data)).sections) == len(data["sections"]) - 1
