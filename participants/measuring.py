"""Numbers about the running installation. `/metrics` shows them (`gamify_project.metrics`).

- `counted`: what processes count while they run. Each process counts in files of its own, in the folder PROMETHEUS_MULTIPROC_DIR, and
  the process that is asked adds up the files. Without the folder a process counts for itself alone.
- `stored`: what is read from the database when `/metrics` is asked, so all processes answer the same. Domains register collectors.

No number has a label with an unlimited number of values, such as a tenant, a participant or a path.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, with the time of its first value
counted = CollectorRegistry()
stored = CollectorRegistry()

units_of_work = Counter(
    "gamify_units_of_work", "Units of work that were written and are about to be committed.", registry=counted
)
restarts = Counter(
    "gamify_unit_restarts",
    "Units of work that were started again, because another one was first or a lock was not available in time.",
    ["cause"],
    registry=counted,
)
waiting_threads = Gauge(
    "gamify_database_waiting_threads",
    "Threads that serve requests and have waited for PostgreSQL for a while.",
    multiprocess_mode="livesum",
    registry=counted,
)
