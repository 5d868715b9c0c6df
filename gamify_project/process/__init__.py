"""The processes of the product: how they start, how they are watched, and what they need outside Django's request handling.

`manage.py serve` runs all of them under one foreground process:

- `serving`: the command. Binds the port, starts web server, workers and beat, and prints the banner.
- `readiness`: migrates the database and creates the first-use data before the web server serves requests.
- `embedded`: the secret key of an installation that was not configured.

The supervisor:

- `supervisor`: keeps programs running until a signal stops all of them.
- `programs`: what a program is, its process, and when it is restarted.
- `output`: prints the lines of all programs to one terminal.
- `stop_signals`: what stops the supervisor: a signal, or the end of its parent process.
- `guard`: a small process that stops the programs if the supervisor is killed.

The web server, also without `serve` (`gunicorn --config python:gamify_project.process.gunicorn_config`):

- `gunicorn_config`: its settings, and the gate at which its workers wait.
- `gunicorn_log`: its lines in the format of all others.
- `web`: what runs in its workers: connections, parsing, threads, and how the workers share connections.
- `server_errors`: answers to requests that cannot be parsed or are too large, and never reach Django.

The broker:

- `broker`: a Celery broker on files, for installations without Redis.

Celery's app stays in `gamify_project.celery`, where Celery looks for it. Views and middleware are no part of this package, even if
they are about processes (`probes`, `metrics`, `proxies`): they handle requests.
"""
