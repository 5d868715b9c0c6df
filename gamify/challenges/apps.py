from django.apps import AppConfig


class ChallengesConfig(AppConfig):
    name = "gamify.challenges"
    verbose_name = "Challenges"

    def ready(self) -> None:
        from gamify.challenges import profile, services

        profile.register()
        services.register()
