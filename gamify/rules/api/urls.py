from gamify.rules.api.admin import AdminRuleViewSet
from participants.api.definitions import definition_routes

urlpatterns = definition_routes("rules", AdminRuleViewSet)
