from django.apps import AppConfig


class ProgrammeConfig(AppConfig):
    name = "gamify_project.programme"
    verbose_name = "Programme"
