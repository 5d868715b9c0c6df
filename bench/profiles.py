"""The largest items of the web time of an award, its replay, and two reads: sampled in a process that runs the WSGI application.

The server's own loop is not part of it. Compare shares, not times: sampling slows the process.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from bench import product
from bench.requests import LIMITS, PEOPLE, PREFIX, RULED, define_everything
from tests.booting import postgres, redis

AWARD = {"participant_id": "$person", "amount": 5, "reason": "Purchase completed", "idempotency_key": "$id"}
CASES: Mapping[str, tuple[str, Mapping[str, object] | None]] = {
    "POST points/award": (f"{PREFIX}/points/award", AWARD),
    "POST points/award, replayed": (
        f"{PREFIX}/points/award",
        AWARD | {"participant_id": "user_1", "idempotency_key": "same"},
    ),
    "GET participants/{pid}/points": (f"{PREFIX}/participants/$person/points", None),
    "GET participants/{pid}/state": (f"{PREFIX}/participants/$person/state", None),
}


def measure(*, requests: int) -> None:
    with postgres(options={}) as server, redis() as cache, tempfile.TemporaryDirectory() as var:
        environment = {"DATABASE_URL": server.url, "REDIS_URL": cache.url, "GAMIFY_VAR": var, **LIMITS}
        environment["DJANGO_SETTINGS_MODULE"] = "gamify_project.settings"
        product.manage(environment, "migrate", "-v0")
        keys = {name: product.new_key(environment, f"bench-{name}") for name in ("any", RULED)}
        with product.served(environment) as port:
            define_everything(port, environment, keys)
        for name, (path, body) in CASES.items():
            print(f"  {name}", flush=True)
            given = {
                "path": path,
                "body": body and json.dumps(body),
                "key": keys["any"],
                "people": PEOPLE,
                "requests": requests,
            }
            subprocess.run(
                [sys.executable, "-m", "bench.sampling"],
                cwd=product.ROOT,
                env=os.environ | environment,
                input=json.dumps(given),
                text=True,
                check=True,
            )
