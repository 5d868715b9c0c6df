"""App configuration of Django's admin with our site. It is a separate module because a module may have only one default AppConfig."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    default_site = "gamify_project.console.ConsoleSite"
