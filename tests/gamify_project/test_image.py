"""Dockerfile, compose.yaml and docs agree and are valid. The tests do not build the image, because there is no Docker engine."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment import COMPOSE, ROOT, commands

DOCKERFILE = ROOT / "Dockerfile"
IMAGE_OF_OURS = ("migrate", "web", "worker", "deliveries", "beat")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    linted = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)

    assert (linted.returncode, linted.stdout) == (0, "")


def test_everything_in_compose_runs_from_one_image_without_privileges(services: dict[str, Any]) -> None:
    ours = [name for name, service in services.items() if "build" in service]

    assert sorted(ours) == sorted(IMAGE_OF_OURS)
    for name in ours:
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["environment"]["GAMIFY_ENV"] == "production"
    assert re.search(r"^USER 10001:10001$", DOCKERFILE.read_text(), re.MULTILINE)


def test_only_the_database_and_migrate_know_the_password_of_the_owner(services: dict[str, Any]) -> None:
    for name in set(IMAGE_OF_OURS) - {"migrate"}:
        environment = services[name]["environment"]  # it overrides env_file
        assert (environment["POSTGRES_PASSWORD"], environment["DATABASE_OWNER_URL"]) == ("", ""), name
        assert not any("POSTGRES_PASSWORD" in str(value) for value in environment.values()), name
    assert "POSTGRES_PASSWORD" in services["migrate"]["environment"]["DATABASE_OWNER_URL"]


def test_nothing_is_reachable_from_other_machines_but_through_a_proxy(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert published == {"web": ["127.0.0.1:${PUBLISHED_PORT:-8000}:8000"]}


def test_each_service_waits_for_the_services_it_needs(services: dict[str, Any]) -> None:
    waits = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }

    prepared = {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }
    assert waits["migrate"] == {"postgres": "service_healthy"}
    assert waits["web"] == waits["worker"] == waits["deliveries"] == waits["beat"] == prepared
    assert all("test" in services[name]["healthcheck"] for name in ("postgres", "redis"))


def test_the_image_serves_by_default_what_compose_calls_web() -> None:
    default = re.findall(r"^CMD (\[.*\])$", DOCKERFILE.read_text(), re.MULTILINE)

    assert [json.loads(line) for line in default] == [commands()["web"]]


def test_operators_read_the_commands_that_compose_runs() -> None:
    guide = (ROOT / "docs/operators.md").read_text()

    for command in commands().values():
        assert " ".join(command) in guide


def test_every_variable_of_the_example_is_described_to_operators() -> None:
    names = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert "SECRET_KEY" in names
    for name in names:
        assert f"`{name}`" in (ROOT / "docs/operators.md").read_text()


def test_no_secret_is_written_down(services: dict[str, Any]) -> None:
    example = (ROOT / ".env.example").read_text()

    assert re.search(r"^SECRET_KEY=$", example, re.MULTILINE)
    assert re.search(r"^POSTGRES_PASSWORD=$", example, re.MULTILINE)
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_the_image_contains_only_the_product() -> None:
    allowed = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    packages = {path.split("/")[0] for path in tracked if path.endswith("/__init__.py")} - {"tests", "bench"}

    assert allowed == packages | {"templates", "manage.py", "requirements.txt", "scripts/healthcheck.py"}
    assert all((ROOT / path).exists() for path in allowed)


def test_a_server_that_is_not_there_is_unhealthy() -> None:
    command = [sys.executable, "scripts/healthcheck.py"]

    assert subprocess.run(command, cwd=ROOT, env=os.environ | {"PORT": "9"}, check=False).returncode == 1
