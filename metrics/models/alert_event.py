"""Events of alerts: what people were told of alerts and incidents, kept for programs that follow it."""

from django.db import models

from metrics.models.team import Shared


class AlertEvent(Shared):
    """One change of an alert or of an incident, for those whom the incident was for at that time.

    `number` is that of the entry of the log of events; `data` is what programs get of it.
    """

    number = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField(db_index=True)
    data = models.JSONField()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"event {self.number}"
