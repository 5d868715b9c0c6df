from participants import registries


class StreaksConfig(registries.DomainConfig):
    name = "streaks"
    verbose_name = "Streaks"
    registers = ("services.wiring", "figures", "profile", "grants", "definitions", "exports")
