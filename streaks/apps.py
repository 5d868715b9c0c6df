from django.apps import AppConfig


class StreaksConfig(AppConfig):
    name = "streaks"
    verbose_name = "Streaks"

    def ready(self) -> None:
        from streaks import grants, profile, services

        services.register()
        profile.register()
        grants.register()
