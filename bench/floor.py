"""The framework's floor: what Django and DRF cost before any rule.

A POST whose key is looked up by one indexed query, with a small serializer and a JSON answer; no middleware, no write.
Also its own settings and WSGI application: the product's, but for the routes and the middleware.
"""

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from participants.models import ApiKey
from participants.services.keys import digest_of


class Body(serializers.Serializer[Any]):
    participant_id = serializers.CharField(max_length=255)
    amount = serializers.IntegerField(min_value=1, max_value=1_000_000)
    reason = serializers.CharField(max_length=500, required=False)
    idempotency_key = serializers.CharField(max_length=255, required=False)


class Floor(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        key = ApiKey.objects.get(digest=digest_of(request.headers["X-API-Key"]))
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"tenant_id": str(key.tenant_id), **body.data})


urlpatterns = [path("floor", Floor.as_view())]
