from django.urls import path

from gamify.facts.api.admin import AdminEventsViewSet
from gamify.facts.api.participant import EventsViewSet, ParticipantEventsViewSet
from participants.api.routes import of_participant

urlpatterns = [
    path("events", EventsViewSet.as_view({"post": "emit"})),
    path("events/batch", EventsViewSet.as_view({"post": "emit_batch"})),
    path("events/<str:event_id>/explain", EventsViewSet.as_view({"get": "explain"})),
    path("admin/events/<str:event_id>/reverse", AdminEventsViewSet.as_view({"post": "reverse"})),
    of_participant("/events", ParticipantEventsViewSet.as_view({"get": "retrieve"})),
]
