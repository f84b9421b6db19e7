"""Annotations: moments and spans that charts mark, such as a deploy."""

from django.db import models

from metrics.models.team import Shared


class Annotation(Shared):
    """A moment, `at`, or a span from there to `until`, of which `text` says what was."""

    text = models.CharField(max_length=500)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["-at", "-id"], name="annotation_at")]

    def __str__(self) -> str:
        return self.text[:80]


class AnnotationTag(models.Model):
    """A word by which charts, lists and people choose annotations."""

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, db_index=False, related_name="tagged")
    tag = models.CharField(max_length=50)

    class Meta:
        ordering = ["tag"]
        constraints = [models.UniqueConstraint(fields=["annotation", "tag"], name="tag_once")]
        indexes = [models.Index(fields=["tag", "annotation"], name="annotation_of_tag")]

    def __str__(self) -> str:
        return self.tag
