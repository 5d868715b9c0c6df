"""The web server inside one worker process of gunicorn. Connections, parsing of bodies and buffers are waitress's.

- `worker`: the worker class. Heartbeats, signals and the graceful stop.
- `loop`: one thread reads all connections and runs the requests; if a request is slow, another thread takes over.
- `queueing`: which requests may run, and those that wait until they may.
- `listening`: the listening sockets.
- `channels`: one connection: its deadlines, its refusals, and its end.
- `requests`: one request: its body, and what the application gets of it.
- `heads`: parses and checks request line and headers.
- `answers`: one answer: its headers and its framing.
- `balance`: which worker accepts the next connection.
"""
