"""Exit 0 if the web server of this container answers /health, else 1: the HEALTHCHECK of the Dockerfile.

It uses the standard library only, because it runs every ten seconds.
"""

import http.client
import os
import sys

SECONDS = 4


def main() -> int:
    """Request /health with an allowed host name, because Django refuses others; return the exit code."""
    client = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    try:
        client.request("GET", "/health", headers={"Host": own_name(os.environ.get("ALLOWED_HOSTS", ""))})
        return int(client.getresponse().status != http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        client.close()


def own_name(allowed_hosts: str) -> str:
    """Return a host name that ALLOWED_HOSTS permits. `.example.com` permits the domain and its subdomains, `*` any name."""
    first = allowed_hosts.split(",", maxsplit=1)[0].strip()
    return "localhost" if first in {"", "*"} else first.removeprefix(".")


if __name__ == "__main__":
    sys.exit(main())
