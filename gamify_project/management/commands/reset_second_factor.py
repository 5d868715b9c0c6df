from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from gamify_project.second_factor import services
from gamify_project.sessions import end_sessions
from participants.management.base import ReportingCommand


class Command(ReportingCommand):
    help = (
        "Remove the second factor of a console account, for a user who lost it and whom no superuser can help. "
        "It ends all sessions of the account."
    )

    can_roll_back = True

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="The account.")

    def report(self, *, username: str, **options: Any) -> Mapping[str, Any]:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account '{username}'.")
        return {"username": username, "reset": services.reset(user), "sessions_ended": end_sessions(user.pk)}
