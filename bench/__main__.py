"""`python -m bench [NAME …] [options]`: run measurements and print their tables."""

import argparse
from collections.abc import Callable

from bench import (
    actors,
    awards,
    backfill,
    boards,
    events,
    exports,
    profiles,
    requests,
    streaks,
    sweeps,
    trials,
    verify,
    webhooks,
)

MEASUREMENTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "requests": lambda options: requests.measure(seconds=options.seconds, rounds=options.rounds),
    "awards": lambda options: awards.measure(seconds=options.seconds, rounds=options.rounds),
    "actors": lambda options: actors.measure(requests=options.requests, rounds=options.rounds),
    "profiles": lambda options: profiles.measure(requests=options.requests),
    "backfill": lambda options: backfill.measure(seconds=options.seconds, rounds=options.rounds),
    "boards": lambda options: boards.measure(requests=options.requests, rounds=options.rounds, large=options.people),
    "events": lambda options: events.measure(seconds=options.seconds, rounds=options.rounds),
    "exports": lambda options: exports.measure(entries=options.entries),
    "streaks": lambda options: streaks.measure(seconds=options.seconds, rounds=options.rounds),
    "verify": lambda options: verify.measure(entries=options.entries),
    "webhooks": lambda options: webhooks.measure(rounds=options.rounds),
    "sick-endpoints": lambda options: trials.try_sick_endpoints(),
    "sweeps": lambda options: sweeps.measure(states=options.states, due=options.due, rounds=options.rounds),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], help="All of them when left out.")
    parser.add_argument("--seconds", type=float, default=3.0, help="How long each is loaded in each round.")
    parser.add_argument("--rounds", type=int, default=5, help="Rounds, alternating; the median counts.")
    parser.add_argument("--states", type=int, default=1_000_000, help="Of sweeps: how many participants there are.")
    parser.add_argument("--due", type=int, default=100_000, help="Of sweeps: of how many a break is due; a divisor.")
    parser.add_argument("--requests", type=int, default=200, help="Of actors, boards and profiles: how many.")
    parser.add_argument("--people", type=int, default=1_000_000, help="Of boards: how many are on the large ones.")
    parser.add_argument("--entries", type=int, default=1_000_000, help="Of exports and verify: how long the ledger is.")
    options = parser.parse_args()
    for name in options.names or MEASUREMENTS:
        print(f"{name}:")
        MEASUREMENTS[name](options)


if __name__ == "__main__":
    main()
