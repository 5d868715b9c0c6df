"""WSGI entry point: `gunicorn gamify_project.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")

application = get_wsgi_application()
