"""Models of a test's own, as ``new_model`` makes them, that several tests have."""

from typing import Any

from django.db import models


def part_of(model: Any) -> Any:
    """The key of a model that inherits from another, by which it points to that."""
    return models.OneToOneField(
        model, models.CASCADE, primary_key=True, parent_link=True, related_name="+"
    )


def place(new_model: Any, **more: Any) -> Any:
    """Something with a name, to inherit from or to point to."""
    return new_model(
        "Place",
        id=models.BigAutoField(primary_key=True),
        name=models.CharField(max_length=50),
        **more,
    )


def seat(new_model: Any) -> Any:
    """Something with a key of two columns, which stand in another order."""
    return new_model(
        "Seat",
        pk=models.CompositePrimaryKey("number", "line"),
        line=models.IntegerField(),
        number=models.IntegerField(),
        price=models.IntegerField(),
        fee=models.IntegerField(),
    )
