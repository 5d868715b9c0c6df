from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "gamify.webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from gamify.webhooks import services

        services.register()
