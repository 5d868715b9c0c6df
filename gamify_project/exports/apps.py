from participants import registries


class ExportsConfig(registries.DomainConfig):
    name = "gamify_project.exports"
    verbose_name = "Exports"
    registers = ("services",)
