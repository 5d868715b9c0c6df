"""Django's admin with our site in it; a module of its own, since an app may have one default configuration only."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    default_site = "gamify_project.console.ConsoleSite"
