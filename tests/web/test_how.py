"""“How this works” says what the site's database can't do, and nothing else."""

from django.urls import reverse

from tests.web import seen

CANNOT = {
    "merges_json_by_key": "Two edits of one document",
    "reports_dropped_column_as_conflict": "removed a field",
    "schema_changes_roll_back": "stays half done",
}


def test_says_what_the_database_cannot_do(client, repository):
    page = seen.main(client.get(reverse("versioning:how")))
    features = repository.features
    for flag, words in CANNOT.items():
        assert (words in page) is not getattr(features, flag)
    assert ("waits for others" in page) is features.branches_take_turns_in_writing
    assert f"It is {features.engine} {features.version}." in page
