from participants import registries


class UndoConfig(registries.DomainConfig):
    name = "gamify_project.undo"
    verbose_name = "Undo"
    registers = ("wiring",)
