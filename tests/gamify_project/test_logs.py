"""The log output of a crash in production, written by a separate process."""

import json
import os
import subprocess
import sys

CRASH = """
import logging
from gamify_project.logs import logging_config
import structlog

logging_config(level="INFO", is_json=True)

def look_up(presented):
    raise RuntimeError("the database is gone")

try:
    look_up("bq_live_MYSECRETKEY")
except RuntimeError as error:
    structlog.get_logger("x").error("request_crashed", exc_info=error)
    logging.getLogger("y").exception("also this way")
"""


def test_a_traceback_in_json_has_locations_but_no_values():
    ran = subprocess.run(
        [sys.executable, "-c", CRASH], capture_output=True, text=True, check=True, env=dict(os.environ)
    )

    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["exception"][0]["exc_type"] for line in lines] == ["RuntimeError"] * 2
    assert "look_up" in ran.stderr
    assert "MYSECRETKEY" not in ran.stderr
