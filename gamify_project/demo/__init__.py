"""Demo data: a tenant with a realistic history. It is created through the services, and is the same every time."""

from gamify_project.demo.history import SLUG, DemoResult, make_demo, wants_days

__all__ = ["SLUG", "DemoResult", "make_demo", "wants_days"]
