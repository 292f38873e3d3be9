"""A shop with one product in the stand-in for Instant."""

import pytest

from tests.localcloud.browsing import MUG, SHOP, admin
from tests.plugins.instant import InstantCloud, product, tenant


@pytest.fixture
def cloud(instant_cloud: InstantCloud) -> InstantCloud:
    steps = [
        ["update", "tenants", SHOP, tenant()],
        ["update", "products", MUG, product(SHOP)],
        ["link", "products", MUG, {"tenant": SHOP}],
    ]
    assert "tx-id" in admin(instant_cloud, *steps)
    return instant_cloud
