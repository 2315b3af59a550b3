"""Rows found by a text: in tables of every kind, and whatever the spelling."""

import pytest
from django.db import models
from django.utils.http import urlencode

import versioning
from tests import own_models
from tests.web import seen


def found(client, text, ref="main"):
    answer = client.get(f"/search/?{urlencode({'q': text, 'ref': ref})}")
    assert answer.status_code == 200
    return answer


def marked(answer):
    html = answer.content.decode()
    return [part.partition("</mark>")[0] for part in html.split("<mark>")[1:]]


# Tables -----------------------------------------------------------------------


def test_every_row_of_a_table_with_a_key_of_two_columns(editor, new_model, erin):
    seat = new_model(
        "Seat",
        pk=models.CompositePrimaryKey("number", "line"),
        line=models.IntegerField(),
        number=models.IntegerField(),
        name=models.CharField(max_length=40),
    )
    with versioning.on_branch("main", author=erin, message="Seats"):
        for line in (2, 3):
            seat.objects.create(number=7, line=line, name=f"window {line}")
    page = found(editor, "window")
    assert "window 2" in seen.main(page)
    assert "window 3" in seen.main(page)
    rows = [url for url in seen.addresses(page) if url.startswith("/rows/history/")]
    assert len(rows) == 2
    for url in rows:
        assert "Seats" in seen.main(editor.get(url))


def test_a_row_of_a_model_that_inherits(editor, new_model, erin):
    place = own_models.place(new_model)
    above = own_models.part_of(place)
    hall = new_model("Hall", place, above=above, kind=models.CharField(max_length=50))
    with versioning.on_branch("main", author=erin, message="Open"):
        hall.objects.create(pk=1, name="The hall", kind="ballroom")
    page = found(editor, "ballroom")
    assert "ballroom" in seen.main(page)
    assert marked(page) == ["ballroom"]


class Shouted(models.Field):
    """A kind of field of an application’s own."""

    def db_type(self, connection):
        return "varchar(40)"


def test_whatever_is_kept_as_text(editor, new_model, erin):
    thing = new_model(
        "Thing",
        id=models.BigAutoField(primary_key=True),
        file=models.FileField(),
        path=models.FilePathField(),
        address=models.GenericIPAddressField(),
        shouted=Shouted(),
    )
    held = {
        "file": "menu-of-2026.pdf",
        "path": "/srv/kitchen",
        "address": "10.20.30.40",
        "shouted": "HEAR",
    }
    with versioning.on_branch("main", author=erin, message="Add"):
        thing.objects.create(**held)
    for text in ("menu-of", "kitchen", "20.30", "hear"):
        assert [word.lower() for word in marked(found(editor, text))] == [text]


def test_a_table_that_had_no_key_then_is_named_and_left_out(editor, write):
    then = write(
        "main",
        "DROP TABLE polls_choice",
        "DROP TABLE polls_question",
        "CREATE TABLE polls_question (id int, text varchar(40))",
        "INSERT INTO polls_question VALUES (1, 'Noted')",
    )
    words = seen.main(found(editor, "Noted", then))
    assert "Without Questions" in words
    assert "no primary key" in words
    assert "No row holds “Noted”" in words


def test_where_to_go_on_is_no_place_in_a_table_by_another_key(editor, write, add):
    for n in range(25):
        add("main", f"Noted {n}")
    page = editor.get("/search/?q=Noted&ref=main&table=polls_question")
    url = seen.links(page)["More of Questions"]
    then = write(
        "main",
        "DROP TABLE polls_choice",
        "DROP TABLE polls_question",
        "CREATE TABLE polls_question (id int, line int, text varchar(40), "
        "PRIMARY KEY (id, line))",
        "INSERT INTO polls_question VALUES (1, 1, 'Noted')",
    )
    answer = editor.get(url.replace("ref=main", f"ref={then}"))
    assert answer.status_code == 400


# Spelling ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        ("Été", "été"),
        ("ÄRGER", "ärger"),
        ("Ελλάδα", "ΕΛΛΆΔΑ"),
        ("café", "cafe"),
        ("naïve", "naive"),
        ("cafe", "café"),
    ],
)
def test_case_and_accents_make_no_difference(editor, add, held, asked):
    add("main", f"So {held} it is")
    page = found(editor, asked)
    assert f"Question “So {held} it is”" in seen.main(page)
    assert marked(page) == [held]


def test_another_letter_is_another_word(editor, add):
    add("main", "So coffee it is")
    assert "No row holds “caffee”" in seen.main(found(editor, "caffee"))


def test_a_document_is_searched_as_it_reads(editor, new_model, erin):
    sheet = new_model(
        "Sheet",
        id=models.BigAutoField(primary_key=True),
        cells=models.JSONField(),
    )
    with versioning.on_branch("main", author=erin, message="Write"):
        sheet.objects.create(cells={"name": "Zoë"})
    page = found(editor, "Zoë")
    assert marked(page) == ["Zoë"]
    assert "u00eb" not in seen.main(page)
