from participants import registries


class WebhooksConfig(registries.DomainConfig):
    name = "gamify.webhooks"
    verbose_name = "Webhooks"
    registers = ("services.wiring", "figures", "definitions")
