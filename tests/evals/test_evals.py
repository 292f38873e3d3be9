"""What must hold of the chat's answers, by our own questions to the demo shops: see report.py and docs/chat.md."""

import asyncio
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare import text
from controlplane.localcloud.sqld import Sqld
from tests.evals import report
from tests.evals.report import Outcome
from tests.evals.world import EVALS, demo_shops, world


def liar(messages: Sequence[dict[str, str]]) -> str:
    """Every fact of every source with its figures changed, and every stock turned round: a model at its worst."""
    turned = {"in stock": "sold out", "sold out": "in stock", "auf Lager": "ausverkauft", "ausverkauft": "auf Lager"}
    lines = []
    for entry in text.entries_of(messages[0]["content"]):
        told = entry.facts or " ".join(entry.sentences[:3])
        told = re.sub(r"\d+", lambda m: str(int(m[0]) + random.Random(m[0]).randint(1, 9)), told)
        for word, other in turned.items():
            if word in told:
                told = told.replace(word, other)
                break
        lines.append(f"{told} [{entry.number}]")
        lines.append(f"{entry.title} kostet 1,00 €. {entry.title} costs £1. It is $1. {entry.title}: 1 Euro.")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def outcomes(sqld: Sqld) -> dict[str, list[Outcome]]:
    """All questions to the model that lies; every sixth to the local model, which takes its time."""
    shops = demo_shops()
    with world(sqld, shops) as make:

        def lying(client):  # type: ignore[no-untyped-def]
            platform = make(client)
            platform.AI.texts[defaults.TEXT_MODEL] = liar  # type: ignore[attr-defined]
            return platform

        told = asyncio.run(report.ask_all(lying, shops))
        for shop in shops:
            shop.questions[:] = shop.questions[::6] + [q for q in shop.questions[-6:] if q.most]
        return {"liar": told, "local": asyncio.run(report.ask_all(make, shops))}


def test_there_are_sixty_questions_a_shop_in_two_languages_some_without_an_answer() -> None:
    assert len(list(EVALS.glob("*.toml"))) == 3
    for shop in demo_shops():
        assert len(shop.questions) >= 60
        assert {question.lang for question in shop.questions} == {"en", "de"}
        assert sum(not question.is_answerable for question in shop.questions) >= 12
        assert sum(bool(question.most) for question in shop.questions) >= 5


@pytest.mark.parametrize("model", ["liar", "local"])
def test_every_price_is_the_live_one_or_the_merchants_own_words(outcomes: dict[str, list[Outcome]], model: str) -> None:
    assert [wrong for one in outcomes[model] for wrong in one.wrong_prices] == []


@pytest.mark.parametrize("model", ["liar", "local"])
def test_nothing_of_another_shop_is_cited(outcomes: dict[str, list[Outcome]], model: str) -> None:
    assert [wrong for one in outcomes[model] for wrong in one.foreign_sources] == []


def test_the_right_source_is_among_the_first_three(outcomes: dict[str, list[Outcome]]) -> None:
    assert report.recall(outcomes["liar"]) >= 0.92
    assert report.mean_reciprocal_rank(outcomes["liar"]) >= 0.85


def test_it_answers_what_it_knows_and_admits_what_it_does_not(outcomes: dict[str, list[Outcome]]) -> None:
    assert report.accuracy(outcomes["liar"], answerable=True) >= 0.9
    assert report.accuracy(outcomes["liar"], answerable=False) >= 0.85


def test_a_limit_on_price_offers_something_within_it(outcomes: dict[str, list[Outcome]]) -> None:
    limited = [one for one in outcomes["liar"] if one.question.most]
    assert all(one.offered for one in limited), [one.question.text for one in limited if not one.offered]


def test_a_liar_is_not_left_without_an_answer(outcomes: dict[str, list[Outcome]]) -> None:
    """What the guard takes away is made up for by the live facts and the merchant's words."""
    assert all(one.text.strip() for one in outcomes["liar"])


def test_the_threshold_is_where_the_questions_put_it() -> None:
    """docs/chat.md shows the curve; a change here needs a new one."""
    table = (Path(__file__).parents[2] / "docs" / "chat.md").read_text("utf-8")
    from storefront.search import THRESHOLDS

    assert f"**{THRESHOLDS['@local/all-minilm-l6-v2'].answer:.2f}**" in table
