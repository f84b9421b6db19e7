"""The row that is written to find out whether the database takes changes."""

from django.db import models


class Probe(models.Model):
    """One row, which is written to find out whether the database takes changes."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    at = models.DateTimeField(auto_now=True, help_text="When it was written last.")

    def __str__(self) -> str:
        return f"written at {self.at}"
