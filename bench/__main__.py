"""`python -m bench [awards] [--seconds N] [--rounds N]`: run measurements and print their tables."""

import argparse

from bench import awards

MEASUREMENTS = {"awards": awards.measure}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], help="All of them when left out.")
    parser.add_argument("--seconds", type=float, default=3.0, help="How long each is loaded in each round.")
    parser.add_argument("--rounds", type=int, default=5, help="Rounds, alternating; the median counts.")
    options = parser.parse_args()
    for name in options.names or MEASUREMENTS:
        print(f"{name}:")
        MEASUREMENTS[name](seconds=options.seconds, rounds=options.rounds)


if __name__ == "__main__":
    main()
