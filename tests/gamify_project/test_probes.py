"""Who reads the metrics and the details of /ready, and that probes answer under every host name."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from gamify_project.middleware import PROBES
from gamify_project.probes import CHECKS
from gamify_project.settings import _networks

OUTSIDE = "198.51.100.7"
INSIDE = "10.1.2.3"
NETWORK = "10.0.0.0/8"

pytestmark = pytest.mark.django_db

# (trusted proxies, address of the connection, headers)
OBSERVERS: list[tuple[int, str, dict[str, str]]] = [
    (0, INSIDE, {}),
    (0, "::ffff:10.1.2.3", {}),
    (1, INSIDE, {}),
    (1, "127.0.0.1", {"X-Forwarded-For": INSIDE}),
    (1, "127.0.0.1", {"X-Forwarded-For": f"{OUTSIDE}, {INSIDE}:4711"}),
    (2, "127.0.0.1", {"X-Forwarded-For": f"{OUTSIDE}, {INSIDE}, 127.0.0.1"}),
]
OTHERS: list[tuple[int, str, dict[str, str]]] = [
    (0, OUTSIDE, {}),
    (0, "127.0.0.1", {}),
    (0, "", {}),
    (0, INSIDE, {"X-Forwarded-For": INSIDE}),
    (0, INSIDE, {"Forwarded": f"for={OUTSIDE}"}),
    (0, INSIDE, {"X-Real-IP": OUTSIDE}),
    (1, INSIDE, {"X-Real-IP": OUTSIDE}),
    (1, INSIDE, {"X-Forwarded-For": OUTSIDE}),
    (1, INSIDE, {"X-Forwarded-For": f"{INSIDE}, {OUTSIDE}"}),
    (1, INSIDE, {"X-Forwarded-For": "unknown"}),
    (2, INSIDE, {"X-Forwarded-For": INSIDE}),
]


@pytest.fixture(autouse=True)
def networks(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_NETWORKS", NETWORK)
    settings.METRICS_NETWORKS = _networks("METRICS_NETWORKS", default=[])


def get(path: str, address: str, headers: dict[str, str]) -> Any:
    return Client(REMOTE_ADDR=address, headers=headers).get(path)


@pytest.mark.parametrize(("proxies", "address", "headers"), OBSERVERS)
def test_callers_in_the_networks_read_metrics_and_details(
    settings: Any, proxies: int, address: str, headers: dict[str, str]
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert get("/metrics", address, headers).status_code == 200
    assert set(get("/ready", address, headers).json()["checks"]) == {"database", "cache", "broker", "migrations"}


@pytest.mark.parametrize(("proxies", "address", "headers"), OTHERS)
def test_all_others_get_a_bare_status_and_no_metrics(
    settings: Any, proxies: int, address: str, headers: dict[str, str]
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert get("/metrics", address, headers).status_code == 404
    assert get("/ready", address, headers).json() == {"status": "ok"}
    assert get("/health", address, headers).json() == {"status": "ok"}


def test_a_page_without_permission_looks_like_a_page_that_does_not_exist() -> None:
    pages = [get(path, OUTSIDE, {}) for path in ("/metrics", "/nowhere")]

    assert pages[0].content == pages[1].content


def test_what_is_not_ready_is_named_to_observers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "broker", lambda: 1 / 0)

    inside, outside = (get("/ready", address, {}) for address in (INSIDE, OUTSIDE))

    assert (inside.status_code, inside.json()["checks"]["broker"]) == (503, "failed")
    assert (outside.status_code, outside.json()) == (503, {"status": "unavailable"})


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("host", ["10.0.0.5", "10.0.0.5:8000", "node-7.internal", "[::1]:8000", "not_a.valid host"])
def test_probes_answer_under_every_host_name(settings: Any, path: str, host: str) -> None:
    settings.ALLOWED_HOSTS = ["gamify.example"]

    assert get(path, INSIDE, {"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/console/login/", "/api/schema", "/health/", "/nowhere"])
def test_all_other_paths_refuse_foreign_host_names(settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["gamify.example"]

    assert get(path, INSIDE, {"Host": "10.0.0.5"}).status_code == 400


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0", "localhost"])
def test_networks_that_are_none_stop_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("METRICS_NETWORKS", text)

    with pytest.raises(ImproperlyConfigured, match="METRICS_NETWORKS: needs networks such as"):
        _networks("METRICS_NETWORKS", default=[])
