from django.apps import AppConfig


class GamifyProjectConfig(AppConfig):
    name = "gamify_project"

    def ready(self) -> None:
        from gamify_project import proxies  # noqa: F401 - registers its check
