"""gunicorn's lines in the format of all other lines."""

from typing import Any

from gunicorn.glogging import Logger


class ProductLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The `logger_class` of `gunicorn_config`: it passes gunicorn's lines on to the handler that the settings configure."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
