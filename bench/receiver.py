"""`python -m bench.receiver`: endpoints for deliveries, in a process of its own. Prints its port, then serves until it is killed.

`/ok/…` takes everything; `/sick/…` answers 500 to 30 % of what it is sent, leaves 10 % without an answer and resets 10 %. `GET /taken`
answers what was taken: `[path, id, seconds, signature, timestamp, body]` for each; `GET /number` how many that is.
"""

import asyncio
import json
import random
import time
from typing import Any

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"

_chance = random.Random(1)
_taken: list[list[Any]] = []


class Endpoint(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, separator, body = self.data.partition(b"\r\n\r\n")
        if not separator:
            return
        line, *rest = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in rest)}
        length = int(headers.get("content-length", 0))
        if len(body) >= length:
            self.data = body[length:]
            self.take(line.split(" ")[1], headers, body[:length])

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        fate = _chance.random() if path.startswith("/sick") else 1.0
        if path == "/taken":
            self.tell(_taken)
        elif path == "/number":
            self.tell(len(_taken))
        elif fate < 0.3:
            self.transport.write(FAILED)
        elif fate < 0.4:
            return
        elif fate < 0.5:
            self.transport.abort()
        else:
            names = ("webhook-id", "webhook-signature", "webhook-timestamp")
            message_id, signature, timestamp = (headers.get(name, "") for name in names)
            _taken.append([path, message_id, time.time(), signature, timestamp, body.decode()])
            self.transport.write(OK)

    def tell(self, what: Any) -> None:
        body = json.dumps(what).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Endpoint, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
