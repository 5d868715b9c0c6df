"""Exit 0 if the web server of this container answers /health, else 1: the HEALTHCHECK of the Dockerfile.

It uses the standard library only, because it runs every ten seconds.
"""

import http.client
import os
import sys

SECONDS = 4


def main() -> int:
    """Request /health, which answers under every host name; return the exit code."""
    client = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    try:
        client.request("GET", "/health")
        return int(client.getresponse().status != http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        client.close()


if __name__ == "__main__":
    sys.exit(main())
