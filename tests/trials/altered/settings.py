"""The product's settings for processes that a trial alters: a guard is off (TRIAL_WITHOUT), or the clock is wrong (TRIAL_CLOCK)."""

import os
from pathlib import Path

from gamify_project.settings import *  # noqa: F403
from gamify_project.settings import INSTALLED_APPS as _APPS
from tests.trials.altered import clock

INSTALLED_APPS = [*_APPS, "tests.trials.altered"]

if file := os.environ.get(
    "TRIAL_CLOCK"
):  # before the models are imported: some columns have `timezone.now` as their default
    clock.follow(Path(file))
