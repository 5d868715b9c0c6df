from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "gamify.rules"
    verbose_name = "Rules"

    def ready(self) -> None:
        from gamify.rules import services

        services.register()
