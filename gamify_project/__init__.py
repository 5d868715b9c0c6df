"""Composition root: settings, urls, Celery, error handling, schema and console site."""

from gamify_project.celery import app as celery_app

__all__ = ["celery_app"]
