"""The wiring as a Django app: it loads the Celery application and the system checks."""

from django.apps import AppConfig


class WiringConfig(AppConfig):
    """Makes the wiring's system checks known to Django."""

    name = "dashboard_project"
    verbose_name = "Wiring"

    def ready(self) -> None:
        """Have the Celery application be there wherever Django is; what runs everything has neither."""
        from dashboard_project import celery, checks  # noqa: F401
