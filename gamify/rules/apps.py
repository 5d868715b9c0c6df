from participants import registries


class RulesConfig(registries.DomainConfig):
    name = "gamify.rules"
    verbose_name = "Rules"
    registers = ("services.wiring", "figures", "definitions")
