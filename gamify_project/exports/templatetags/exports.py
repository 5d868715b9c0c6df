from typing import Any

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def export_links(context: Any) -> list[dict[str, str]]:
    """Return the exports that the list on this page offers to the user."""
    from gamify_project.exports.console.forms import links_from  # noqa: PLC0415 - Django loads tags before the pages of the console
    from participants.admin.filters import zone_of_days  # noqa: PLC0415 - the same reason

    request, model_admin = context["request"], context["cl"].model_admin
    return list(links_from(model_admin, request.user, request.GET.dict(), zone_of_days(request)))
