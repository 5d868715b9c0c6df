from django.apps import AppConfig


class PointsConfig(AppConfig):
    name = "gamify.points"
    verbose_name = "Points"

    def ready(self) -> None:
        from gamify.points import audits, grants, profile, services

        profile.register()
        services.register()
        grants.register()
        audits.register()
