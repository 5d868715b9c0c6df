import os

from django.apps import AppConfig


class AlteredConfig(AppConfig):
    """Switches off the guard that TRIAL_WITHOUT names, in every process that is started with these settings."""

    name = "tests.trials.altered"

    def ready(self) -> None:
        from tests.trials.altered import guards

        if name := os.environ.get("TRIAL_WITHOUT"):
            getattr(guards, f"without_{name}")()
