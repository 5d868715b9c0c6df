"""Demo data: a tenant that looks lived in. Made through the services, so that it obeys every rule; the same every time."""

from gamify_project.demo.history import SLUG, DemoMade, is_up_to_date, make_demo

__all__ = ["SLUG", "DemoMade", "is_up_to_date", "make_demo"]
