"""What a row is called: as its object calls itself, if that is known, and in short."""

from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Upper

import versioning
from tests.web import seen


def test_by_its_key_where_its_name_is_made_of_a_generated_column(
    editor, erin, new_model
):
    dish = new_model(
        "Dish",
        id=models.BigAutoField(primary_key=True),
        name=models.CharField(max_length=20),
        loud=models.GeneratedField(
            expression=Upper("name"),
            output_field=models.CharField(max_length=20),
            db_persist=True,
        ),
        __str__=lambda self: f"It is {self.loud}!",
    )
    with versioning.on_branch("main", author=erin, message="Cook") as unit:
        dish.objects.create(pk=7, name="Soup")
    assert "Dish 7 added" in seen.main(editor.get(f"/commits/{unit.commit}/"))


def test_by_its_key_where_its_name_is_made_of_a_column_that_was_not_there_then(
    editor, new_model, write
):
    new_model(
        "Dish",
        id=models.BigAutoField(primary_key=True),
        name=models.CharField(max_length=20),
        mood=models.CharField(max_length=20, db_default="calm"),
        __str__=lambda self: f"{self.name}, {self.mood}",
    )
    then = write(
        "main",
        "ALTER TABLE polls_dish DROP COLUMN mood",
        "INSERT INTO polls_dish (id, name) VALUES (7, 'Soup')",
    )
    assert "Dish 7 added" in seen.main(editor.get(f"/commits/{then}/"))


def poets_name(poet):
    return f"{poet.name}, poet"


def test_as_the_proxy_says_that_a_key_points_to(editor, erin, new_model):
    writer = new_model(
        "Writer",
        id=models.BigAutoField(primary_key=True),
        name=models.CharField(max_length=20),
    )
    meta = type("Meta", (), {"app_label": "polls", "proxy": True})
    body = {"__module__": "polls.models", "Meta": meta, "__str__": poets_name}
    poet: Any = type("Poet", (writer,), body)
    verse = new_model(
        "Verse",
        id=models.BigAutoField(primary_key=True),
        poet=models.ForeignKey(poet, models.CASCADE, related_name="+"),
        __str__=lambda self: f"By {self.poet}",
    )
    with versioning.on_branch("main", author=erin, message="Write") as unit:
        verse.objects.create(poet_id=writer.objects.create(name="Ann").pk)
    words = seen.main(editor.get(f"/commits/{unit.commit}/"))
    del apps.all_models["polls"]["poet"]
    assert "Verse “By Ann, poet” added" in words
    assert "Poet nothing Ann, poet" in words


def test_in_short_where_it_is_all_that_somebody_wrote(editor, erin, new_model):
    note = new_model(
        "Note",
        id=models.BigAutoField(primary_key=True),
        body=models.TextField(),
        __str__=lambda self: self.body,
    )
    with versioning.on_branch("main", author=erin, message="Note") as unit:
        for _ in range(3):
            note.objects.create(body="word " * 200_000)
    answer = editor.get(f"/commits/{unit.commit}/")
    assert "word word… added" in seen.main(answer).replace("”", "")
    assert len(answer.content) < 100_000
    found = editor.get("/search/?q=word+word")
    assert len(found.content) < 100_000
    row = next(url for url in seen.addresses(found) if url.startswith("/rows/history/"))
    assert len(editor.get(row).content) < 100_000
