"""Demo data: a tenant that looks lived in. Made through the services, so that it obeys every rule; the same every time."""

from gamify_project.demo.history import SLUG, DemoMade, make_demo, wants_days

__all__ = ["SLUG", "DemoMade", "make_demo", "wants_days"]
