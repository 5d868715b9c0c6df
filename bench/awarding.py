"""`python -m bench.awarding SLUG [--without-actor]`: awards points in this process, as many as each line of its input says.

Its first line of output is the process id of its database server. Then it answers each line with the processor seconds that it took.
"""

import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402 - the settings come first
from django.utils import timezone  # noqa: E402

from gamify.points.services import award  # noqa: E402
from gamify.points.services.changes import Change  # noqa: E402
from participants.actors import Actor, act_as  # noqa: E402
from participants.ids import new_id  # noqa: E402
from participants.models import Tenant  # noqa: E402

PEOPLE = 500
WITHOUT_ACTOR = Actor(None, None, None)  # the three columns are null
WITH_ACTOR = Actor(f"api_key:{new_id()}", "Key of the shop", str(new_id()))


def main(slug: str, *options: str) -> None:
    act_as(WITHOUT_ACTOR if "--without-actor" in options else WITH_ACTOR)
    tenant = Tenant.objects.live().get(slug=slug)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        print(cursor.fetchone()[0], flush=True)
    number = 0
    for line in sys.stdin:
        began = time.process_time()
        for _ in range(int(line)):
            number += 1
            change = Change(participant_id=f"user_{number % PEOPLE}", amount=5, idempotency_key=f"k{number}")
            award(tenant=tenant, change=change, now=timezone.now())
        print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
