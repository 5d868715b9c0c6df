"""A Celery broker that needs no server: one file per message, in folders under `var/`.

kombu's own filesystem transport loses messages, and one half-written file stops it, because it writes under the final name
and deletes before the work is done. Here a message is written to a temporary name and renamed into its queue. A worker claims
it by renaming it out of the queue, and deletes it when it acknowledges it. A rename is atomic, and of two workers only one succeeds.

    <root>/queues/<queue>/<time>-<tag>.msg          waiting; names sort by age (first in, first out)
    <root>/claimed/<owner>/<queue>/<time>-<tag>.msg  delivered to a worker, not acknowledged yet
    <root>/unreadable/<queue>-<name>                not a readable message; moved out of the way

A worker that stops returns its claims. A worker that was killed cannot, but its lock on `<owner>.lock` ends with its process.
Other workers check for such locks, at their start and every 30 seconds, and return the claims to their queues. So a message is
delivered at least once, and twice only if its worker died. That is safe: a message only wakes a worker up, and the work itself
is in the database. Bindings are in memory: every producer and worker declares the queues that it uses. There is no fanout.
"""
