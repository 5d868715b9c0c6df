from django.apps import AppConfig


class BadgesConfig(AppConfig):
    name = "gamify.badges"
    verbose_name = "Badges"

    def ready(self) -> None:
        from gamify.badges import audits, grants, profile, services

        profile.register()
        services.register()
        grants.register()
        audits.register()
