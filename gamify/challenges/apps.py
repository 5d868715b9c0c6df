from participants import registries


class ChallengesConfig(registries.DomainConfig):
    name = "gamify.challenges"
    verbose_name = "Challenges"
    registers = ("profile", "services.wiring", "figures", "definitions")
