"""What a question asks of price and stock."""

from decimal import Decimal

import pytest

from storefront.constraints import Constraints, constraints_of, without_limits
from storefront.figures import Money, numbers, parse_number, sums
from tests.edge_worker.memory import product


@pytest.mark.parametrize(
    ("question", "currency", "least", "most", "in_stock"),
    [
        ("Do you have something warm under 80 euros?", "EUR", None, 7999, False),
        ("etwas Warmes bis 80 €", "EUR", None, 8000, False),
        ("unter 80 Euro", "EUR", None, 7999, False),
        ("zwischen 20 und 40 €", "EUR", 2000, 4000, False),
        ("between £20 and £40 in stock", "GBP", 2000, 4000, True),
        ("20-40 €", "EUR", 2000, 4000, False),
        ("mugs under 20", "USD", None, 1999, False),
        ("max. 1.200,50 € auf Lager", "EUR", None, 120050, True),
        ("less than $20 please", "USD", None, 1999, False),
        ("over £100", "GBP", 10001, None, False),
        ("ab 50 Euro", "EUR", 5000, None, False),
        ("unter 3000 Yen", "JPY", None, 2999, False),
        ("under 2 hours", "GBP", None, None, False),
        ("Is it open from 9 to 5?", "GBP", None, None, False),
        ("under 80 euros", "GBP", None, None, False),  # nothing here converts money
        ("Is it out of stock?", "GBP", None, None, False),
        ("boots in size 42", "EUR", None, None, False),
    ],
)
def test_limits_are_read_from_the_question(
    question: str, currency: str, least: int | None, most: int | None, in_stock: bool
) -> None:
    assert constraints_of(question, currency) == Constraints(least=least, most=most, in_stock=in_stock)


def test_the_search_is_for_what_is_left() -> None:
    assert without_limits("something warm under 80 euros") == "something warm"
    assert without_limits("boiling under 2 hours") == "boiling under 2 hours"


def test_a_limit_admits_by_the_live_record() -> None:
    limits = Constraints(least=2000, most=3000, in_stock=True, tag="garden")
    assert limits.admits(product(2))
    assert not limits.admits(product(2, available=False))
    assert not limits.admits(product(2, price=3001))
    assert not limits.admits(product(2, tags=()))


def test_asking_whether_one_thing_is_in_stock_limits_nothing() -> None:
    asked = constraints_of("Is Jug number 2 in stock?", "EUR")
    assert asked.in_stock
    assert not asked.about("Is Jug number 2 in stock?", [product(2)]).in_stock


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,680", "1680"), ("1.680", "1680"), ("3,95", "3.95"), ("22.5", "22.5"), ("0.125", "0.125"), ("1.299,00", "1299"),
     ("1,299.00", "1299"), ("79.00", "79"), ("20,000", "20000"), ("1 200", "1200")],
)  # fmt: skip
def test_numbers_are_read_in_both_notations(text: str, value: str) -> None:
    assert parse_number(text.replace(" ", "\u202f")) == Decimal(value)


def test_sums_of_money_are_found_with_their_currency() -> None:
    found = [money for money, _ in sums("£1,299.00, 5,90 Euro, 12\xa0€, 3,- €, $4.85 and 20 quid")]
    assert found == [
        Money(Decimal(1299), "GBP"), Money(Decimal("5.9"), "EUR"), Money(Decimal(12), "EUR"), Money(Decimal(3), "EUR"),
        Money(Decimal("4.85"), "USD"), Money(Decimal(20), "GBP"),
    ]  # fmt: skip
    assert Decimal(46) in numbers("packs to 46 × 15 cm")
