#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")
    if sys.argv[1:2] == ["serve"]:
        from gamify_project.process import serving  # starts the web server first, and then loads Django beside it

        sys.exit(serving.main(sys.argv[2:]))
    from django.core.management import execute_from_command_line

    from participants.actors import ActorKind, acting_as, actor_of

    command = (sys.argv[1:2] or ["help"])[0]
    try:
        with acting_as(actor_of(ActorKind.COMMAND, command, command)):
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{command}: interrupted; what was committed stays\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
