from __future__ import annotations

from django.db import models
from django.utils import timezone


class QuestionQuerySet(models.QuerySet["Question"]):
    def published(self) -> QuestionQuerySet:
        """Questions that people may vote on: not from the future, with choices."""
        has_choices = models.Exists(
            Choice.objects.filter(question=models.OuterRef("pk"))
        )
        return self.filter(has_choices, published__lte=timezone.now())


class Question(models.Model):
    text = models.CharField("question", max_length=200)
    details = models.TextField(
        blank=True, help_text="What a voter should know, in a few sentences."
    )
    published = models.DateTimeField("published on", default=timezone.now)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        ordering = ["-published", "-pk"]

    def __str__(self) -> str:
        return self.text

    @property
    def total_votes(self) -> int:
        """Of all choices. Lists fetch those beforehand (``prefetch_related``)."""
        return sum(choice.votes for choice in self.choices.all())


class ChoiceQuerySet(models.QuerySet["Choice"]):
    def of_published(self) -> ChoiceQuerySet:
        """Choices that people may vote for: their questions have choices, these."""
        return self.filter(question__published__lte=timezone.now())


class Choice(models.Model):
    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, related_name="choices"
    )
    text = models.CharField("choice", max_length=200)
    votes = models.PositiveIntegerField(default=0, editable=False)

    objects = ChoiceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "text"],
                name="polls_choice_once_per_question",
                violation_error_message="This question has that choice already.",
            )
        ]

    def __str__(self) -> str:
        return self.text
