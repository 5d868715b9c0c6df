from django.apps import AppConfig


class TiersConfig(AppConfig):
    name = "gamify.tiers"
    verbose_name = "Tiers"

    def ready(self) -> None:
        from gamify.tiers import audits, grants, profile, services

        profile.register()
        services.register()
        grants.register()
        audits.register()
