"""Texts become passages that can be understood alone."""

import pytest

from chat.chunking import CHUNK_LENGTH, MAX_TITLE, passages, plain

SENTENCE = "A sentence of some length about parcels. "


def test_a_passage_carries_the_headings_above_it() -> None:
    text = f"# Terms\n\n## Returns\n\n{SENTENCE * 12}\n\n### Costs\n\n{SENTENCE * 12}\n\n## Payment\n\n{SENTENCE * 12}"
    titles = [passage.title for passage in passages("Terms", text)]
    assert titles == ["Terms › Returns", "Terms › Returns › Costs", "Terms › Payment"]


def test_a_short_text_is_one_passage_with_all_its_words() -> None:
    (passage,) = passages("Shipping", "Two days.\n\nFree over 60 €.")
    assert passage == ("Shipping", "Two days.\n\nFree over 60 €.")


def test_passages_end_at_sentences_and_lose_nothing() -> None:
    words = [f"Number {n} is a sentence of its own." for n in range(200)]
    found = [passage.body for passage in passages("T", " ".join(words))]
    assert all(body.endswith(".") and len(body) <= CHUNK_LENGTH[1] for body in found)
    assert " ".join(found) == " ".join(words)


def test_a_heading_below_a_heading_is_kept_as_a_line() -> None:
    (passage,) = passages("T", "## Above\n\n### Below\n\nText")
    assert passage == ("T › Above", "Below\n\nText")


def test_marks_links_and_html_are_words_only() -> None:
    links = "[here](https://evil.example/?q=secret) ![a cat](https://evil.example/x.png)"
    text = f"**Bold** and {links} `code`\n\n<b onclick=x>hi</b>"
    assert plain(text) == "Bold and here a cat code\n\n<b onclick=x>hi</b>"


def test_lists_and_tables_stay_readable() -> None:
    assert plain("- a\n- b\n\n1. c\n2. d") == "- a\n- b\n1. c\n2. d"
    assert plain("| Size | Price |\n|---|---|\n| S | 5 |\n\nMore") == "Size | Price\nS | 5\n\nMore"


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a heading", "---"])
def test_a_text_without_words_has_no_passage(text: str) -> None:
    assert list(passages("T", text)) == []


def test_a_line_without_end_is_cut_all_the_same() -> None:
    found = list(passages("T" * 500, "x" * 10_000))
    assert all(len(one.body) <= CHUNK_LENGTH[1] and len(one.title) <= MAX_TITLE for one in found)
    assert sum(len(one.body) for one in found) == 10_000


def test_an_unchanged_part_of_a_changed_text_stays_the_same_passage() -> None:
    parts = [f"## Part {n}\n\n{f'Sentence {n} speaks of one thing. ' * 20}" for n in range(6)]
    before = list(passages("T", "\n\n".join(parts)))
    parts[3] = "## Part 3\n\nAll new."
    after = list(passages("T", "\n\n".join(parts)))
    assert len(set(before) & set(after)) >= len(before) - 2
