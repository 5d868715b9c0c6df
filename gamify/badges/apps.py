from participants import registries


class BadgesConfig(registries.DomainConfig):
    name = "gamify.badges"
    verbose_name = "Badges"
    registers = ("profile", "services.wiring", "figures", "grants", "audits", "definitions", "exports")
