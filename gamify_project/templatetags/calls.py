from typing import Any

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def calls_of(context: Any, row: Any) -> list[dict[str, str]]:
    """Return the calls of the API that would create or change a definition, as curl."""
    from gamify_project.calls import calls_for  # noqa: PLC0415 - Django loads tags before the routes

    site = context["request"].build_absolute_uri("/").rstrip("/")
    return [{"title": call.title, "text": call.as_curl(site)} for call in calls_for(row)]
