"""Export and import of the programme, for keys with the admin scope."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from gamify_project.programme.api import examples
from gamify_project.programme.api.parsers import PROGRAMME, ProgrammeParser
from gamify_project.programme.api.serializers import ImportAnswer, ImportQuery, import_answer
from gamify_project.programme.faults import Fault, InvalidProgramme, ProgrammeChanged
from gamify_project.programme.items import Programme, programme_text
from gamify_project.programme.planning import plan_import
from gamify_project.programme.services import apply_plan
from participants.api.permissions import caller_of
from participants.api.schema import YAML, operation
from participants.api.views import AdminViewSet, render
from participants.downloads import uncached

UNKNOWN_BADGE = "refers to nothing: there is no badge “vip” in the file or in the tenant"
FAULTY = InvalidProgramme(
    [
        Fault(12, "badges.0.rarity", '"legend" is not a valid choice.'),
        Fault(31, "rules.0.then.1.code", UNKNOWN_BADGE),
    ]
)


class ProgrammeViewSet(AdminViewSet):
    parser_classes = [ProgrammeParser]

    @operation("export_programme", answer=OpenApiTypes.STR, media_type=YAML, example=examples.EXPORTED)
    def export(self, request: Request) -> HttpResponse:
        """All definitions of your tenant as one YAML file: badges, tiers, streaks, challenges, leaderboards, rules, boosts, rewards, webhooks.

        Definitions refer to each other by code. The file has no ids, no secrets and no stock. The same definitions always give the
        same bytes, so the file fits into a version control system. Fields that have their default are left out.
        """
        return uncached(HttpResponse(programme_text(self.tenant), content_type=YAML))

    @operation(
        "import_programme",
        query=ImportQuery,
        yaml=examples.FILE,
        answer=ImportAnswer,
        errors=[FAULTY, ProgrammeChanged()],
        example=examples.IMPORTED,
    )
    def import_(self, request: Request) -> Response:
        """Make the definitions of your tenant those of a programme file, in one transaction.

        A definition in the file is complete: a field that it lacks gets its default. Definitions that the file lacks stay, or are
        archived with `prune=true`. A file with faults is refused with all of them, each with its line and path, and changes nothing.
        The previous programme can be restored in the console. With `dry_run=true` nothing is written.
        """
        query = self.query(ImportQuery)
        sent: Any = request.data
        programme: Programme | None = sent.get(PROGRAMME)
        if programme is None:  # no parser is called for an empty body
            raise InvalidProgramme([Fault(1, "", "is empty")])
        plan = plan_import(self.tenant, programme, prunes=query["prune"]).counted()
        if not query["dry_run"]:
            apply_plan(plan, by=f"API key {caller_of(request).name}", now=self.now)
        return Response(render(ImportAnswer, import_answer(plan)))
