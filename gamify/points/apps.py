from participants import registries


class PointsConfig(registries.DomainConfig):
    name = "gamify.points"
    verbose_name = "Points"
    registers = ("profile", "services.wiring", "figures", "grants", "audits", "definitions", "exports")
