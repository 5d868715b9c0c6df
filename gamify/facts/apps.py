from participants import registries


class FactsConfig(registries.DomainConfig):
    name = "gamify.facts"
    verbose_name = "Events"
    registers = ("services.wiring", "figures", "exports")
