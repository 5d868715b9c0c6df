from django.apps import AppConfig


class GamifyProjectConfig(AppConfig):
    name = "gamify_project"

    def ready(self) -> None:
        from django.contrib.admin.models import LogEntry

        from gamify_project import proxies, staff_changes, telemetry  # noqa: F401 - the first registers its check
        from gamify_project.postgres import separation  # noqa: F401 - registers its checks
        from participants.archiving import ArchiveRule, archive_rules
        from participants.services.append_only import AppendOnly, register_append_only

        telemetry.start_sentry()
        staff_changes.connect()
        register_append_only(AppendOnly(LogEntry))
        for label in ("SecondFactor", "RecoveryCode", "ConsoleSession"):
            archive_rules.register(f"gamify_project.{label}", ArchiveRule("Staff belong to the installation."))
        archive_rules.register(
            "gamify_project.PeriodicRun", ArchiveRule("It is the state of a monitor of the installation.")
        )
        archive_rules.register("participants.Membership", ArchiveRule("Staff belong to the installation."))
