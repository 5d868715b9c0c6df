from django.apps import AppConfig


class RewardsConfig(AppConfig):
    name = "rewards"
    verbose_name = "Rewards"

    def ready(self) -> None:
        from rewards import audits, grants, profile, services

        profile.register()
        services.register()
        grants.register()
        audits.register()
