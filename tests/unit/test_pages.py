"""What an error page says of a form that it can send again."""

from versioning.pages import Resend


def test_what_was_typed_goes_by_names_that_people_read():
    form = Resend(
        "Send it",
        "/polls/1/edit/",
        [
            ("text", "Tea?"),
            ("choices-0-text", "Green"),
            ("opens_on", "2026-11-20T17:02:38"),
            ("initial-opens_on", "2026-11-20 17:02:38"),
            ("published", "2026-11-21T17:02:38"),
            ("initial-published", "2026-11-20 17:02:38"),
            ("choices-TOTAL_FORMS", "3"),
            ("versioning_token", "x"),
            ("choice", "5"),
            ("said:choice:4", "Black"),
            ("said:choice:5", "Green tea"),
        ],
        "",
    )
    assert form.typed == [
        ("Text", "Tea?"),
        ("Choices 1 text", "Green"),
        ("Published", "2026-11-21T17:02:38"),
        ("Choice", "Green tea"),
    ]
