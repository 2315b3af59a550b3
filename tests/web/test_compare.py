"""Two states side by side: the page on which changes are reviewed."""

import csv
import re
import tracemalloc
from io import StringIO

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlencode

import versioning
from polls.models import Choice, Question
from tests.web import seen
from versioning import diffs, exporting
from versioning.cursors import sign_key


@pytest.fixture
def poll(repository, erin):
    with versioning.on_branch("main", author=erin, message="Add a poll"):
        question = Question.objects.create(
            text="What is the colour of the sky?", details="Look up."
        )
        Choice.objects.create(question=question, text="Blue", votes=5)
        Choice.objects.create(question=question, text="Grey", votes=2)
    repository.create_branch("summer", repository.head("main"))
    return question


@pytest.fixture
def edit(erin):
    def edit(branch, act):
        with versioning.on_branch(branch, author=erin, message="Edit") as unit:
            act()
        return unit.commit

    return edit


@pytest.fixture
def both(poll, edit):
    """Summer changed the question's text; main changed a count meanwhile."""
    edit(
        "summer",
        lambda: Question.objects.update(text="What was the colour of the sky?"),
    )
    edit("main", lambda: Choice.objects.filter(text="Blue").update(votes=6))


def compare(client, **query):
    return client.get("/compare/", {"from": "main", "to": "summer"} | query)


def test_three_dots_leave_out_what_the_other_side_did(editor, both):
    page = seen.main(compare(editor))
    assert "What summer changed since it parted from main at" in page
    assert "What main changed meanwhile (1 commit) is left out." in page
    assert "1 table ~ 1 changed" in page
    assert "Question “What was the colour of the sky?”" in page
    assert "Votes" not in page


def test_two_dots_show_both(editor, both):
    page = seen.main(compare(editor, dots="2"))
    assert "How summer differs directly from main" in page
    assert "2 tables ~ 2 changed" in page
    assert "Votes 6 5" in page
    assert "1 ahead, 1 behind" in page


def test_changed_words_are_marked(editor, both):
    html = compare(editor).content.decode()
    assert "<del>is</del>" in html
    assert "<ins>was</ins>" in html


def test_without_refs_the_active_branch_is_compared_to_the_default(editor, both):
    editor.post("/branches/switch/", {"name": "summer"})
    assert "What summer changed since it parted from main" in (
        seen.main(editor.get("/compare/"))
    )


def test_sides_can_be_swapped_and_dots_changed_by_links(editor, both):
    links = seen.links(compare(editor))
    assert "What main changed since it parted from summer" in seen.main(
        editor.get(links["Swap"])
    )
    assert "How summer differs directly from main" in seen.main(
        editor.get(links["Directly"])
    )


def test_a_link_to_exactly_these_two_commits_stays_what_it_is(
    editor, both, edit, repository
):
    pinned = seen.links(compare(editor))["Link to exactly these two commits"]
    assert repository.head("summer") in pinned
    before = seen.main(editor.get(pinned))
    edit("summer", lambda: Question.objects.update(details="Look down."))
    assert seen.main(editor.get(pinned)) == before
    assert "What was the colour of the sky?" in before
    assert "Look down." in seen.main(compare(editor))


def test_related_rows_go_by_their_name_as_of_each_commit(
    editor, repository, poll, edit
):
    other = []
    edit("main", lambda: other.append(Question.objects.create(text="Old name")))
    before = repository.head("main")
    edit("main", lambda: Choice.objects.filter(text="Grey").update(question=other[0]))
    after = repository.head("main")
    edit("main", lambda: Question.objects.filter(text="Old name").update(text="New"))
    page = seen.main(compare(editor, **{"from": before, "to": after}))
    assert "Choice “Grey” of “Old name”" in page
    assert "Question What is the colour of the sky? Old name" in page
    assert "New" not in page


def test_empty_text_and_white_space_are_told_apart(editor, poll, edit):
    edit("summer", lambda: Question.objects.update(details=""))
    assert "Details Look up. empty text" in seen.main(compare(editor))
    edit("summer", lambda: Question.objects.update(details="  "))
    assert "Details Look up. 2 spaces··" in seen.main(compare(editor))
    edit("summer", lambda: Question.objects.update(details="Look up. "))
    page = compare(editor)
    assert '<ins class="space">·</ins>' in page.content.decode()


def test_text_is_never_markup(editor, poll, edit):
    edit("summer", lambda: Question.objects.update(text="<script>alert(1)</script>"))
    html = compare(editor).content.decode()
    assert "<script>alert" not in html
    assert "alert" in html


def test_the_same_state_has_no_difference(editor, poll):
    page = seen.main(compare(editor))
    assert "main and summer are the same commit." in page
    assert "No difference" in page


def test_merging_is_offered_where_it_would_bring_something(editor, maintainer, both):
    links = seen.links(compare(maintainer))
    assert links["Merge into main…"] == "/merge/?source=summer&target=main"
    assert "See what merging into main would do" in seen.links(compare(editor))
    same = seen.links(compare(maintainer, **{"from": "summer", "to": "summer"}))
    assert not [words for words in same if words.startswith("Merge into")]


@pytest.mark.parametrize("side", ["from", "to"])
@pytest.mark.parametrize("ref", ["nowhere", "x'--", "-D", "main~1", "0" * 32, "<b>"])
def test_a_ref_that_is_not_there_is_a_404_and_can_be_mended(editor, poll, side, ref):
    response = compare(editor, **{side: ref})
    assert response.status_code == 404
    assert f"There is no branch, tag or commit “{ref}”." in seen.main(response)
    assert 'name="from"' in response.content.decode()


def test_states_by_the_beginnings_of_their_hashes(editor, repository, both):
    old, new = repository.head("main"), repository.head("summer")
    short = compare(editor, **{"from": old[:7], "to": new[:7]})
    assert seen.main(short) == seen.main(compare(editor, **{"from": old, "to": new}))
    assert f"/compare/?from={new}&to={old}&dots=3" in seen.addresses(short)


@pytest.mark.parametrize("dots", ["4", "x", "..."])
def test_there_are_two_dots_or_three(editor, poll, dots):
    assert compare(editor, dots=dots).status_code == 400


def test_htmx_gets_the_comparison_alone(editor, both):
    part = editor.get("/compare/?from=main&to=summer", headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div id="comparison"')


# One table's rows -------------------------------------------------------------


@pytest.fixture
def many(poll, edit):
    """Summer adds 60 choices, changes one and removes one."""

    def act():
        Choice.objects.bulk_create(
            Choice(question=poll, text=f"Shade {number:02}") for number in range(60)
        )
        Choice.objects.filter(text="Blue").update(votes=9)
        Choice.objects.filter(text="Grey").delete()

    edit("summer", act)


def rows(client, **query):
    return client.get(
        "/compare/rows/",
        {"from": "main", "to": "summer", "table": "polls_choice"} | query,
    )


def test_rows_go_on_after_fifty(editor, many):
    first = rows(editor)
    assert "+ 60 added ~ 1 changed − 1 removed" in seen.main(first)
    assert "Choice “Blue” of" in seen.main(first)
    assert "Shade 47" in seen.main(first)
    assert "Shade 48" not in seen.main(first)
    second = editor.get(seen.links(first)["More rows"])
    assert "Shade 48" in seen.main(second)
    assert "Shade 59" in seen.main(second)
    assert "Shade 47" not in seen.main(second)
    assert "More rows" not in seen.links(second)


def test_the_page_of_all_tables_shows_the_first_fifty(editor, many):
    page = compare(editor)
    assert "Shade 47" in seen.main(page)
    more = seen.links(page)["More rows"]
    part = editor.get(more, headers={"HX-Request": "true"})
    assert "Shade 59" in seen.text(part)
    assert "<html" not in part.content.decode()


@pytest.mark.parametrize(
    ("kind", "found", "left_out"),
    [
        ("added", "Shade 00", "Blue"),
        ("changed", "Blue", "Shade 00"),
        ("removed", "Grey", "Blue"),
    ],
)
def test_rows_of_one_kind(editor, many, kind, found, left_out):
    page = seen.main(rows(editor, kind=kind))
    assert f"Choice “{found}”" in page
    assert f"Choice “{left_out}”" not in page


def test_rows_in_which_one_column_changed(editor, poll, edit):
    edit("summer", lambda: Choice.objects.filter(text="Blue").update(votes=9))
    edit("summer", lambda: Choice.objects.filter(text="Grey").update(text="White"))
    by_votes = seen.main(rows(editor, column="votes"))
    assert "Choice “Blue”" in by_votes
    assert "White" not in by_votes
    by_text = seen.main(rows(editor, column="text"))
    assert "Choice “White”" in by_text
    assert "Choice “Blue”" not in by_text
    assert rows(editor, column="nothing").status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"after": "x"}, 400),
        ({"after": sign_key("polls_question", (1,))}, 400),
        ({"after": sign_key("polls_choice", (1,)) + "x"}, 400),
        ({"kind": "burnt"}, 400),
        ({"dots": "1"}, 400),
        ({"table": ""}, 404),
        ({"table": "auth_user"}, 404),
        ({"table": "polls_choice; DROP TABLE polls_choice"}, 404),
        ({"to": "nowhere"}, 404),
    ],
)
def test_an_address_that_was_touched(editor, many, query, status):
    response = rows(editor, **query)
    assert response.status_code == status
    assert "Traceback" not in response.content.decode()


def test_more_rows_take_no_more_queries(editor, poll, edit):
    def queries(count):
        edit(
            "summer",
            lambda: [
                Choice.objects.create(
                    question=Question.objects.create(text=f"Q {count} {number}"),
                    text="Yes",
                )
                for number in range(count)
            ],
        )
        url = f"/compare/?{urlencode({'from': 'main', 'to': 'summer'})}"
        editor.get(url)
        with CaptureQueriesContext(connections["versioned"]) as taken:
            assert editor.get(url).status_code == 200
        return len(taken)

    few = queries(2)
    assert queries(20) == few


def test_changes_of_tables_and_bookkeeping_have_headings_of_their_own(
    editor, repository, connection, erin, poll
):
    from django.db import transaction

    with (
        connection.bound("summer"),
        connection.writing(),
        transaction.atomic(using=connection.alias, durable=True),
    ):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE polls_choice ADD COLUMN colour varchar(20)")
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) "
                "VALUES ('polls', '0002_choice_colour', '2026-11-24 00:00:00')"
            )
            for number in range(diffs.PAGE):  # of an app whose tables are elsewhere
                cursor.execute(
                    "INSERT INTO django_migrations (app, name, applied) "
                    "VALUES ('auth', %s, '2026-11-24 00:00:00')",
                    [f"{number:04}"],
                )
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) "
                "VALUES ('polls', '0003_more', '2026-11-24 00:00:00')"
            )
        repository.commit_all("Add a column", erin)
    page = seen.main(compare(editor))
    assert "Changes to the tables themselves" in page
    assert "polls_choice has another definition" in page
    assert "colour" in page
    assert "Bookkeeping" in page
    assert page.index("Changes to the tables") < page.index("Bookkeeping")
    assert "0002_choice_colour" in page
    made = "Made by the migration polls.0002_choice_colour, "
    assert f"{made}Made by the migration polls.0003_more." in page
    back = seen.main(compare(editor, **{"from": "summer", "to": "main", "dots": "2"}))
    assert "Without the migration polls.0002_choice_colour, " in back


# Files --------------------------------------------------------------------------


def export(client, **query):
    query = {"from": "main", "to": "summer", "dots": "2"} | query
    return client.get("/compare/export/", query)


def content(response):
    return b"".join(response.streaming_content).decode()


def test_rows_can_be_had_as_csv(editor, poll, edit, repository):
    edit("summer", lambda: Choice.objects.filter(text="Blue").update(text="=1+1"))
    edit("summer", lambda: Choice.objects.filter(text="Grey").delete())
    edit("summer", lambda: Choice.objects.create(question=poll, text="It’s, \n“new”"))
    response = export(editor, format="csv", table="polls_choice")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    heads = (repository.head("main")[:7], repository.head("summer")[:7])
    name = f'filename="polls_choice-{"-".join(heads)}.csv"'
    assert response["Content-Disposition"] == f"attachment; {name}"
    text = content(response)
    assert text.startswith("\ufeff")
    head, *lines = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))
    assert head[0] == "change"
    found = [dict(zip(head, line, strict=True)) for line in lines]
    changes = [
        (row["change"], row["text before"], row["text after"], row["votes after"])
        for row in found
    ]
    assert sorted(changes) == [
        ("added", "", "It’s, \n“new”", "0"),
        ("changed", "Blue", "'=1+1", "5"),
        ("removed", "Grey", "", ""),
    ]


def test_the_change_can_be_had_as_sql(editor, both, repository):
    response = export(editor, format="sql", dots="3")
    assert response["Content-Type"] == "application/sql; charset=utf-8"
    text = content(response)
    assert "What was the colour of the sky?" in text
    assert "UPDATE" in text
    assert repository.head("summer") in text
    assert "votes" not in text  # that is main's own change
    assert "votes" in content(export(editor, format="sql", dots="2"))


def test_files_are_offered_where_the_rows_are(editor, both):
    links = seen.links(compare(editor))
    text = content(editor.get(links["Download as CSV"]))
    assert "What was the colour of the sky?" in text
    assert "What was the colour" in content(editor.get(links["Download as SQL"]))
    page = rows(editor, table="polls_question")
    assert "What was" in content(editor.get(seen.links(page)["Download all as CSV"]))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"format": "csv", "table": "auth_user"}, 404),
        ({"format": "csv"}, 404),
        ({"format": "xls", "table": "polls_choice"}, 400),
        ({"format": "sql", "to": "nowhere"}, 404),
    ],
)
def test_there_is_no_such_file(editor, many, query, status):
    assert export(editor, **query).status_code == status


def test_a_file_that_is_not_read_keeps_no_branch(editor, many, edit, repository):
    editor.post("/branches/switch/", {"name": "summer"})
    response = export(editor, format="csv", table="polls_choice")
    parts = iter(response.streaming_content)
    assert next(parts)
    list(parts)
    repository.delete_branch("summer")


def test_a_file_of_any_size_takes_little_memory(repository, connection, poll, edit):
    """A million rows took 8 MB; here, what the last ten thousand of many add."""
    edit(
        "summer",
        lambda: Choice.objects.bulk_create(
            [Choice(question=poll, text=f"{n} " * 20) for n in range(20_000)]
        ),
    )
    ends = repository.head("main"), repository.head("summer")
    columns = repository.columns("polls_choice")
    tracemalloc.start()
    size = 0
    try:
        for part in exporting.chunks(
            exporting.csv_lines(repository, "polls_choice", *ends, columns)
        ):
            size += len(part)
        for part in exporting.chunks(exporting.sql_lines(repository, *ends)):
            size += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 4_000_000
    assert peak < 2_500_000


@pytest.fixture
def rekeyed(repository, connection, erin, poll):
    """``rekeyed(before, after)``: a table’s two keys, with 60 rows and then 70."""
    from django.db import transaction

    def run(*statements):
        with (
            connection.bound("summer"),
            connection.writing(),
            transaction.atomic(using=connection.alias, durable=True),
        ):
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
            return repository.commit_all("Alter", erin)

    def make(before, after):
        found: list[str] = []
        for key, count in ((before, 60), (after, 70)):
            keyed = f", PRIMARY KEY ({key})" if key else ""
            rows = ", ".join(f"({n}, {1000 - n})" for n in range(count))
            drop = ["DROP TABLE polls_keyed"] if found else []
            found.append(
                run(
                    *drop,
                    f"CREATE TABLE polls_keyed (a int NOT NULL, b int NOT NULL{keyed})",
                    "".join(["INSERT INTO polls_keyed VALUES ", rows]),
                )
            )
        return {"from": found[0], "to": found[1], "dots": "2"}

    return make


def test_a_table_whose_key_changed_says_so(editor, rekeyed):
    ends = rekeyed("a", "b")
    page = seen.main(compare(editor, **ends))
    assert "1 table Download as SQL polls_keyed replaced" in page
    assert "Its rows went by a and go by b now." in page
    assert "polls_keyed has another definition" in page
    assert "INSERT INTO" in content(export(editor, format="sql", **ends))


def test_all_rows_of_a_replaced_table_are_listed_page_by_page(editor, rekeyed):
    ends = rekeyed("a", "b")
    page = compare(editor, **ends)
    rows = "polls_keyed (\\d+) (removed|added)"
    told = re.findall(rows, seen.main(page))
    pages = 1
    while more := seen.links(page).get("More rows"):
        page = editor.get(more, headers={"HX-Request": "true"})
        told += re.findall(rows, seen.text(page))
        pages += 1
    assert pages == 3
    assert told == [
        *((str(n), "removed") for n in range(60)),
        *((str(1000 - n), "added") for n in range(69, -1, -1)),
    ]
    only = {"table": "polls_keyed", "kind": "added", **ends}
    filtered = re.findall(rows, seen.main(editor.get("/compare/rows/", only)))
    assert len(filtered) == 50
    assert filtered[0] == ("931", "added")


def test_a_replaced_table_is_a_file_too(editor, rekeyed):
    ends = rekeyed("a", "b")
    text = content(export(editor, format="csv", table="polls_keyed", **ends))
    head, *lines = text.removeprefix("\ufeff").splitlines()
    assert head == "change,a before,a after,b before,b after"
    assert sorted(lines) == sorted(
        [
            *(f"removed,{n},,{1000 - n}," for n in range(60)),
            *(f"added,,{n},,{1000 - n}" for n in range(70)),
        ]
    )


def test_a_side_without_a_key_is_in_the_file_alone(editor, rekeyed):
    ends = rekeyed("a", "")
    page = seen.main(compare(editor, **ends))
    assert "of the side without a key no rows are listed" in page
    assert "polls_keyed 59" in seen.main(
        editor.get(seen.links(compare(editor, **ends))["More rows"])
    )
    text = content(export(editor, format="csv", table="polls_keyed", **ends))
    assert len(text.splitlines()) == 131


# Long values ------------------------------------------------------------------


def test_a_text_of_a_megabyte_is_on_a_page_of_its_own(editor, poll, edit):
    long = "word " * 200_000
    edit("main", lambda: Question.objects.update(details=long))
    edit("summer", lambda: Question.objects.update(details=f"{long}END"))
    page = compare(editor, dots="2")
    assert len(page.content) < 60_000
    assert "1,000,003 characters Show all" in seen.main(page)
    assert "END" in seen.main(page)  # where they differ
    first = editor.get(seen.links(page)["Show all"])
    assert len(first.content) < 150_000
    assert "Details" in seen.main(first)
    last = seen.links(first)["Read on from character 50000"].replace("50000", "999990")
    assert "END" in seen.main(editor.get(last))


def test_lines_beyond_those_that_are_shown_are_on_a_page_of_their_own(
    editor, poll, edit
):
    old, new = ("\n".join(f"{a}{n}" for n in range(600)) for a in "ab")
    edit("main", lambda: Question.objects.update(details=f"{old}\nEND"))
    edit("summer", lambda: Question.objects.update(details=f"{new}\nFINIS"))
    page = compare(editor, dots="2")
    assert "802 more lines, changed ones among them, not shown" in seen.main(page)
    assert "FINIS" not in seen.main(page)
    assert "FINIS" in seen.main(editor.get(seen.links(page)["Show all"]))


NOTES = "INSERT INTO notes VALUES (1, '{}before'), (2, 'a'), (3, 'b')"
WORDS = "UPDATE notes SET words = '{}after' WHERE id = 1"


def test_a_long_value_in_a_column_of_another_name_has_both_sides(editor, write):
    long = "word " * 5_000
    before = write(
        "main",
        "CREATE TABLE notes (id int PRIMARY KEY, body longtext)",
        NOTES.format(long),
    )
    after = write(
        "main",
        "ALTER TABLE notes RENAME COLUMN body TO words",
        WORDS.format(long),
    )
    page = compare(editor, **{"from": before, "to": after, "dots": "2"})
    assert "words renamed from body" in seen.main(page)
    values = {url for url in seen.addresses(page) if "/compare/value/" in url}
    (value,) = [seen.main(editor.get(url)) for url in values]
    assert "word before After word" in value
    assert value.endswith("word after")


def test_a_value_of_no_row_is_a_404(editor, many):
    def ask(**query):
        query = {"from": "main", "to": "summer", "table": "polls_choice"} | query
        return editor.get("/compare/value/", query).status_code

    gone = "[-1]"
    assert ask(key=gone, column="text") == 404
    assert ask(key="x", column="text") == 400
    assert ask(key="[1, 2]", column="text") == 400
    assert ask(key='["x"]', column="text") == 404
    assert ask(key=gone, column="text", start="-1") == 400
    assert ask(key=gone, column="text", table="auth_user") == 404
