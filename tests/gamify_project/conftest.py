from collections.abc import Iterator

import pytest

from tests.product import Product, running


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product. It reads the caller's address from `X-Forwarded-For`, and allows 20 failed authentications per address."""
    settings = {"TRUSTED_PROXIES": "1", "AUTH_FAILURES_PER_MINUTE": "20"}
    with running(tmp_path_factory.mktemp("product"), **settings) as product:
        product.wait_for("Gamify is running.")
        yield product


@pytest.fixture
def port(served: Product) -> int:
    return served.port()
