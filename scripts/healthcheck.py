"""Exit 0 if the web server of this container answers /health, else 1: the HEALTHCHECK of the Dockerfile.

Standard library only, and nothing of the product imported: it runs every ten seconds.
"""

import http.client
import os
import sys

SECONDS = 4


def main() -> int:
    """Asked under a name of ours, since Django refuses every other."""
    client = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    try:
        client.request("GET", "/health", headers={"Host": own_name(os.environ.get("ALLOWED_HOSTS", ""))})
        return int(client.getresponse().status != http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        client.close()


def own_name(allowed_hosts: str) -> str:
    """A host name that ALLOWED_HOSTS lets through: `.example.com` stands for the domain and all below, `*` for any."""
    first = allowed_hosts.split(",", maxsplit=1)[0].strip()
    return "localhost" if first in {"", "*"} else first.removeprefix(".")


if __name__ == "__main__":
    sys.exit(main())
