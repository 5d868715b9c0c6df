"""Warnings if TRUSTED_PROXIES does not count a proxy, so that all callers seem to have the proxy's address.

All callers then share the limit of failed authentications and the lock of failed logins, and one of them can use it up for all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders

from gamify_project.addresses import PROXY_HEADERS

CONSEQUENCE = (
    "all callers count as one address, the proxy's, so that ten wrong passwords from anywhere lock a console account"
)
REMEDY = "Set TRUSTED_PROXIES to the number of proxies in front that append to X-Forwarded-For."

_HEADERS = {HttpHeaders.to_wsgi_name(name): name for name in PROXY_HEADERS}

logger = structlog.get_logger(__name__)


class ProxyHeaderMiddleware:
    """Warn once in each process when a request carries a proxy's header although TRUSTED_PROXIES is 0."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if settings.TRUSTED_PROXIES > 0:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.has_warned = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.has_warned:
            self._check(request)
        return self.get_response(request)

    def _check(self, request: HttpRequest) -> None:
        found = [name for variable, name in _HEADERS.items() if variable in request.META]
        if found:
            self.has_warned = True
            logger.warning("proxy_header_ignored", headers=found, consequence=CONSEQUENCE, remedy=REMEDY)


@register(Tags.security, deploy=True)
def check_proxies_are_counted(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Warn if there is a redirect to HTTPS but no trusted proxy: the web server has no TLS, so a proxy must be in front."""
    if settings.TRUSTED_PROXIES > 0 or not settings.SECURE_SSL_REDIRECT:
        return []
    text = f"TRUSTED_PROXIES is 0, but the redirect to HTTPS needs a proxy in front: {CONSEQUENCE}."
    return [Warning(text, hint=REMEDY, id="gamify.W001")]
