from django.apps import AppConfig


class GamifyProjectConfig(AppConfig):
    name = "gamify_project"

    def ready(self) -> None:
        from gamify_project import proxies, staff_changes  # noqa: F401 - the first registers its check

        staff_changes.connect()
