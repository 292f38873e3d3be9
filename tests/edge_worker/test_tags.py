"""Tags as Instant can filter by them."""

import pytest

from storefront.documents import tag_key, tag_keys
from tests.edge_worker.memory import product

LONGEST_INDEXED = 1024 - 12
"""Bytes of a string in an indexed attribute, less what jsonb needs (controlplane/localcloud/instant/values.py)."""


def test_as_many_and_as_long_tags_as_a_product_may_have_fit_an_indexed_attribute() -> None:
    keys = tag_keys(f"{number:02}" + "🧶" * 58 for number in range(50))
    assert keys.count("|") == 51
    assert len(keys.encode()) <= LONGEST_INDEXED


@pytest.mark.parametrize("same", ["wolle", "WOLLE", " Wolle ", "Ｗｏｌｌｅ"])
def test_case_spaces_and_width_make_no_other_tag(same: str) -> None:
    assert tag_key(same) == tag_key("Wolle")


def test_no_pattern_character_gets_into_a_key() -> None:
    assert set(tag_keys(["50 %", "a_b", "a|b", "\\", "a*b?[c]"])) <= set("0123456789abcdef|")
    assert len(set(map(tag_key, ["a%", "a_", "a|", "a\\", "ab"]))) == 5


def test_a_product_carries_the_keys_of_its_tags() -> None:
    entity = product(1, tags=("kitchen", "new")).to_entity()
    assert entity["tagKeys"] == f"|{tag_key('kitchen')}|{tag_key('new')}|"
    assert product(1, tags=()).to_entity()["tagKeys"] == ""
