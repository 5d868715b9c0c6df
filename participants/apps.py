from django.apps import AppConfig


class ParticipantsConfig(AppConfig):
    name = "participants"

    def ready(self) -> None:
        from participants import archiving, events, selectors
        from participants.api import exports
        from participants.figures import people
        from participants.services.append_only import register_append_only_tables
        from participants.services.auditing import register_audits
        from participants.services.participants import register_erasers
        from participants.services.personal_export import register as register_exports

        events.register_all()
        register_erasers()
        register_exports()
        archiving.register_rules()
        register_audits()
        register_append_only_tables()
        selectors.versions_in.register()
        exports.register()
        people.register()
