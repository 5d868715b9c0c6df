"""Sweeping what is due among many states, against one statement that writes the same rows, on a durable PostgreSQL."""

import json
import os
import statistics
import subprocess
import sys

from bench import product


def measure(*, states: int, due: int, rounds: int) -> None:
    with product.installed(DJANGO_SETTINGS_MODULE="gamify_project.settings") as (server, environment):
        print(f"  {server.description}, median of {rounds} rounds; {due:,} due of {states:,} states")
        product.manage(environment, "create_tenant", "acme")
        arguments = [sys.executable, "-m", "bench.sweeper", "acme", str(states), str(due), str(rounds)]
        told = subprocess.run(
            arguments, cwd=product.ROOT, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True
        )
        report = json.loads(told.stdout)
    plain = statistics.median(report["plain"])
    for name, rate in (("UPDATE … RETURNING, INSERT", plain), ("sweep", statistics.median(report["ours"]))):
        print(f"  {name:<34} {rate:>8.0f}/s  {rate / plain:>6.2f} × plain")
    print(f"  peak memory of the sweeping process grew by {report['grown']:.1f} MiB")
