"""The product's settings with the floor's routes and no middleware but what sets Content-Length."""

from gamify_project.settings import *  # noqa: F403

ROOT_URLCONF = "bench.floor"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
