"""What beat starts that belongs to no domain."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="participants.clear_expired_sessions")
def clear_expired_sessions() -> None:
    """Console sessions are rows; those that expired stay until somebody deletes them."""
    call_command("clearsessions")
