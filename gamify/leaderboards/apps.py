from participants import registries


class LeaderboardsConfig(registries.DomainConfig):
    name = "gamify.leaderboards"
    verbose_name = "Leaderboards"
    registers = ("services.wiring", "audits", "definitions", "exports")
