"""The whole product as a new user starts it: real processes, a new SQLite database, a free port."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import processes_marked, until
from tests.product import ROOT, Product, environment, running

SEND_TASK = "import django; django.setup(); from gamify_project.tasks import clear_expired_sessions as t; t.delay()"


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    with running(tmp_path) as product:
        yield product


def test_one_command_serves_and_stops_without_leaving_anything(product: Product) -> None:
    product.wait_for("Gamify is running.")
    product.wait_for("ready.")
    product.wait_for("beat: Starting")

    assert product.health() == 200

    subprocess.run(
        [sys.executable, "-c", SEND_TASK],
        cwd=ROOT,
        env=environment(product.var) | {"DJANGO_SETTINGS_MODULE": "gamify_project.settings"},
        check=True,
    )
    until(lambda: not list(product.var.rglob("broker/**/*.msg")), what="the worker took the message")

    product.process.send_signal(signal.SIGTERM)

    assert product.process.wait(12) == 0
    assert product.survivors() == []


def test_a_web_server_that_is_killed_comes_back_on_the_same_port(product: Product) -> None:
    product.wait_for("Gamify is running.")
    master = re.search(r"Listening at: \S+ \((\d+)\)", product.output.read_text())
    assert master

    os.kill(int(master[1]), signal.SIGKILL)
    product.wait_for("web restarts")

    assert product.health() == 200  # a call meanwhile waits, because the port stays bound


def test_killing_the_product_leaves_nothing(product: Product) -> None:
    product.wait_for("Gamify is running.")

    product.process.kill()

    until(lambda: product.survivors() == [], what="no process is left", seconds=15)


@pytest.mark.parametrize(
    ("host", "port", "problem"),
    [
        ("127.0.0.1", "in use", "is in use; stop what is running there, or choose another: PORT=8001 make run"),
        ("127.0.0.1", "eighty", "Cannot listen on HOST=127.0.0.1 PORT=eighty"),
        ("127.0.0.1", "99999", "Cannot listen on HOST=127.0.0.1 PORT=99999"),
        ("no.such.host.invalid", "8000", "Cannot listen on HOST=no.such.host.invalid PORT=8000"),
    ],
)
def test_a_port_that_cannot_be_bound_is_one_clear_line(tmp_path: Path, host: str, port: str, problem: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1]) if port == "in use" else port
        command = [sys.executable, "manage.py", "serve", "--host", host, "--port", port]
        served = subprocess.run(
            command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False
        )

    assert served.returncode == 1
    assert problem in served.stderr
    assert served.stderr.count("\n") == 1
    assert served.stdout == ""


def test_a_database_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    no_database = environment(tmp_path) | {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}
    command = [sys.executable, "manage.py", "serve"]

    served = subprocess.run(command, cwd=ROOT, env=no_database, capture_output=True, text=True, check=False)

    assert served.returncode == 1
    assert served.stderr.startswith("The database cannot be used: ")
    assert served.stderr.count("\n") == 1
    assert processes_marked(str(tmp_path)) == []
