"""The whole product as a newcomer starts it: `manage.py serve`, on a fresh SQLite and a port of the system's choice."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from tests.processes import processes_marked, until

ROOT = Path(__file__).resolve().parents[1]


def environment(var: Path) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}
    }
    return inherited | {"GAMIFY_VAR": str(var), "GAMIFY_TEST": str(var), "HOST": "127.0.0.1", "PORT": "0"}


class Product:
    """`manage.py serve`, running."""

    def __init__(self, var: Path, **settings: str) -> None:
        self.var = var
        self.output = var / "output"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=environment(var) | settings,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.output.read_text(), what=f"{text!r} in {self.output.read_text()}", seconds=300)

    def port(self) -> int:
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self.output.read_text())
        assert found
        return int(found[1])

    def keys(self) -> Mapping[str, str]:
        """The keys of the banner, by what they open."""
        keys: Mapping[str, str] = json.loads((self.var / "welcome.json").read_text())
        return keys

    def health(self) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port(), timeout=60)) as client:
            client.request("GET", "/health")
            return client.getresponse().status

    def survivors(self) -> list[int]:
        return processes_marked(str(self.var))


@contextmanager
def running(var: Path, **settings: str) -> Iterator[Product]:
    """The product with these variables of its environment; however the block ends, no process is left."""
    product = Product(var, **settings)
    try:
        yield product
    finally:
        for pid in product.survivors():
            psutil.Process(pid).kill()
        product.process.wait(10)
