from django.apps import AppConfig


class ParticipantsConfig(AppConfig):
    name = "participants"

    def ready(self) -> None:
        from participants import events
        from participants.services.participants import register_erasers

        events.register_all()
        register_erasers()
