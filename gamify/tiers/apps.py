from participants import registries


class TiersConfig(registries.DomainConfig):
    name = "gamify.tiers"
    verbose_name = "Tiers"
    registers = ("profile", "services.wiring", "figures", "grants", "audits", "definitions")
