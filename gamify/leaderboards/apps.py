from django.apps import AppConfig


class LeaderboardsConfig(AppConfig):
    name = "gamify.leaderboards"
    verbose_name = "Leaderboards"

    def ready(self) -> None:
        from gamify.leaderboards import audits, services

        services.register()
        audits.register()
