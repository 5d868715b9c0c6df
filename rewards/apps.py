from participants import registries


class RewardsConfig(registries.DomainConfig):
    name = "rewards"
    verbose_name = "Rewards"
    registers = ("profile", "services.wiring", "figures", "grants", "audits", "definitions", "exports")
