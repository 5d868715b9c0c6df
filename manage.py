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

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
