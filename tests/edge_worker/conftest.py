"""The platform every test of the edge starts from."""

import pytest

from tests.edge_worker.memory import Platform, product, shop_record


@pytest.fixture
def platform() -> Platform:
    """A platform with one shop of six products, at https://pots.test."""
    made = Platform()
    made.publish(shop_record())
    made.FETCH.products = [product(number) for number in range(1, 7)]
    return made


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
