from django.apps import AppConfig


class GamifyProjectConfig(AppConfig):
    name = "gamify_project"
