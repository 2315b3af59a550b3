"""Where a page goes on: an address changed by hand is a damaged one, and no error."""

from django.utils.http import urlencode

from versioning.cursors import sign_key

WIDE = "CREATE TABLE wide (a int, b int, v varchar(9), PRIMARY KEY ({}))"
ROW = "INSERT INTO wide VALUES (1, 1, '{}')"


def test_a_place_in_a_table_that_went_by_a_narrower_key(editor, write):
    write("main", WIDE.format("a"), ROW.format("x"))
    before = write("main", "DROP TABLE wide", WIDE.format("a, b"), ROW.format("x"))
    after = write("main", "UPDATE wide SET v = 'y'")
    for key, status in (((1,), 400), ((1, 1, 1), 400), ((0, 0), 200)):
        query = {
            "from": before,
            "to": after,
            "table": "wide",
            "after": sign_key("wide", key),
        }
        assert editor.get(f"/compare/rows/?{urlencode(query)}").status_code == status
