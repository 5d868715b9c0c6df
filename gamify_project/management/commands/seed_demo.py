from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from gamify_project.demo import make_demo
from participants.management.base import ReportingCommand


class Command(ReportingCommand):
    help = "Fill the tenant 'demo' with 90 days of about 200 participants; safe to repeat."

    def report(self, **options: Any) -> Mapping[str, Any]:
        result = make_demo(now=timezone.now())
        return {
            "id": result.tenant.pk,
            "slug": result.tenant.slug,
            "participants": result.participants,
            "points": result.points,
        }
