"""The metrics app; when it is ready, changes of accounts reach open pages."""

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = "Watchfloor"

    def ready(self) -> None:
        from metrics.actions import access

        access.follow_accounts()
