"""Periodic tasks that belong to no domain."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="participants.clear_expired_sessions")
def clear_expired_sessions() -> None:
    """Delete expired console sessions, which are rows in the database."""
    call_command("clearsessions")
