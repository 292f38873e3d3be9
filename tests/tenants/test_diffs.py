"""What changed between two pages, in words."""

from typing import Any

from storefront.documents import Link, Seo, Theme
from storefront.sections import Faq, FeaturedProducts, Hero, Question, RichText, Section
from tenants.diffs import Change, changes, words
from tenants.page import Block, Page


def block(id_: str, section: Section, **more: Any) -> Block:
    return Block(id=id_, section=section, **more)


def told(before: Page, after: Page) -> list[tuple[str, str]]:
    return [(change.where, change.what) for change in changes(before, after)]


def test_equal_pages_have_no_changes() -> None:
    page = Page(seo=Seo(title="T"), blocks=(block("a", Hero(heading="H")),))
    assert changes(page, Page.from_json(page.to_json())) == []


def test_words_that_stayed_went_and_came() -> None:
    assert words("one old word", "one new word") == (
        ("same", "one "), ("gone", "old "), ("new", "new "), ("same", "word"),
    )  # fmt: skip
    assert words("", "") == ()


def test_each_kind_of_change_is_named_where_it_happened() -> None:
    before = Page(
        seo=Seo(title="Old"), theme=Theme(font="sans"),
        blocks=(block("a", Hero(heading="Hi")), block("b", Faq(heading="Q")),
                block("c", RichText(body_html="<p>x</p>"))),
    )  # fmt: skip
    after = Page(
        seo=Seo(title="New", noindex=True), theme=Theme(font="mono"), navigation=(Link(label="All", url="/products"),),
        blocks=(block("b", Faq(heading="Q"), hidden=True), block("a", Hero(heading="Ho")),
                block("d", FeaturedProducts())),
    )  # fmt: skip
    assert told(before, after) == [
        ("Search and sharing", "Title"), ("Search and sharing", "Hide this page from search engines"),
        ("Looks", "Fonts"), ("Menu", "Links"), ("FAQ “Q”", "Hidden"), ("Hero “Ho”", "Headline"),
        ("Featured products", "Added"), ("Rich text", "Removed"), ("Sections", "Order"),
    ]  # fmt: skip


def test_a_choice_is_told_by_its_label_and_rich_text_without_its_tags() -> None:
    (layout,) = changes(
        Page(blocks=(block("a", Hero(heading="H")),)), Page(blocks=(block("a", Hero(heading="H", layout="overlay")),))
    )
    assert ("gone", "beside ") in layout.pieces
    (text,) = changes(
        Page(blocks=(block("a", RichText(body_html="<p>One</p><p>two</p>")),)),
        Page(blocks=(block("a", RichText(body_html="<p>One</p><p>three</p>")),)),
    )
    assert text == Change("Rich text", "Text", (("same", "One "), ("gone", "two"), ("new", "three")))


def test_a_row_of_a_group_is_told_by_its_number() -> None:
    def faq(*answers: str) -> Page:
        rows = tuple(Question(question="Q?", answer=answer) for answer in answers)
        return Page(blocks=(block("a", Faq(items=rows)),))

    assert told(faq("A", "B"), faq("A", "C")) == [("FAQ", "Questions 2, Answer")]
    assert told(faq("A"), faq("A", "B")) == [("FAQ", "Questions")]
