"""Every kind of column that the polls don't have."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse


class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)

    def __str__(self):
        return self.name


class Recipe(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    facts = models.JSONField(default=dict)
    note = models.TextField(null=True, blank=True)  # noqa: DJ001
    likes = models.PositiveIntegerField(default=0)
    tags = models.ManyToManyField(Tag, blank=True)
    cook = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,  # users are in the other database
        null=True,
    )

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("recipe", args=[self.pk])


class Step(models.Model):
    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipe", "number"], name="recipes_step_number"
            )
        ]

    def __str__(self):
        return f"{self.number}. {self.text}"
