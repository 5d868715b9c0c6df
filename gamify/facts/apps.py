from django.apps import AppConfig


class FactsConfig(AppConfig):
    name = "gamify.facts"
    verbose_name = "Events"

    def ready(self) -> None:
        from gamify.facts import services

        services.register()
        services.consumers()  # so that a misspelt name fails at the start, and not at the first event
