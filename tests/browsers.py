"""The pytest plugin that lets a machine without a browser run the rest of the suite, and say so: never by itself."""

import os

import pytest

IS_LEFT_OUT = os.environ.get("GAMIFY_WITHOUT_BROWSER") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if IS_LEFT_OUT and item.get_closest_marker("browser")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_report_header() -> list[str]:
    return ["browser: none (GAMIFY_WITHOUT_BROWSER=1); not run here: marker browser"] if IS_LEFT_OUT else []
