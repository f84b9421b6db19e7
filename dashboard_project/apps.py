from django.apps import AppConfig


class WiringConfig(AppConfig):
    """Makes the wiring's system checks known to Django."""

    name = "dashboard_project"
    verbose_name = "Wiring"

    def ready(self) -> None:
        from dashboard_project import checks  # noqa: F401
