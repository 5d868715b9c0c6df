from django.urls import path

from gamify.rules.api.admin import AdminRuleViewSet, SimulationViewSet
from participants.api.definitions import definition_routes

urlpatterns = [
    path("admin/rules/simulate", SimulationViewSet.as_view({"post": "simulate"})),
    *definition_routes("rules", AdminRuleViewSet),
]
