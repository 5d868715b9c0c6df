"""Periodic tasks as operators see them: each run is recorded, and a page and the metrics tell what runs late or fails."""
