"""Pictures of dashboards: uploaded, or fetched from elsewhere."""

from django.db import models

from metrics.models.dashboard import Dashboard


class Picture(models.Model):
    """A picture that a dashboard may show, as it was made anew. `hash` is the SHA-256 of its bytes, and in its URL.

    One that was `uploaded` is kept as long as something names it; one that was fetched, until there is a newer one.
    """

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="pictures")
    hash = models.CharField(max_length=64)
    type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="In bytes.")
    width = models.PositiveIntegerField(help_text="In pixels.")
    height = models.PositiveIntegerField(help_text="In pixels.")
    data = models.BinaryField()
    uploaded = models.BooleanField()
    at = models.DateTimeField(help_text="When it was uploaded or last fetched.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dashboard", "hash"], name="picture_of_dashboard")]

    def __str__(self) -> str:
        return self.hash


class PictureFetch(models.Model):
    """How fetching a picture for a dashboard went: the newest that came, and when; `problem` says why none came since.

    `key` is that of the address and the credentials, so that widgets that show the same share it.
    """

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="picture_fetches")
    key = models.CharField(max_length=64)
    picture = models.ForeignKey(Picture, null=True, on_delete=models.SET_NULL, related_name="fetches")
    fetched_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dashboard", "key"], name="picture_fetch_of_dashboard")]

    def __str__(self) -> str:
        return self.key
