"""``clear_receipts``: forms that came long ago are known no more, others are."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.web.test_polls_voting import address, counts, form, question
from versioning.models import Receipt
from versioning.place import TOKEN_FIELD

__all__ = ["question"]


@pytest.fixture
def voted(client, question):
    """What was sent 31 days ago, and what was 29 days ago."""
    sky = question.choices.get(text="The sky")
    found = []
    for days in (31, 29):
        sent = form(client, question) | {"choice": sky.pk}
        client.post(address(question), sent)
        made = timezone.now() - timedelta(days=days)
        Receipt.objects.filter(token=sent[TOKEN_FIELD]).update(made=made)
        found.append(sent)
    assert counts()["The sky"] == 14
    return found


def test_a_form_counts_once_until_its_receipt_is_cleared(
    repository, client, question, voted, capsys
):
    old, young = voted
    call_command("clear_receipts")
    assert capsys.readouterr().out == "1 receipt deleted.\n"
    client.post(address(question), young)
    assert counts()["The sky"] == 14
    client.post(address(question), old)
    assert counts()["The sky"] == 15
    message = repository.commit(repository.head("main")).message
    assert f"Form-Token: {old[TOKEN_FIELD]}" in message
    call_command("clear_receipts", "--days", "28")
    assert capsys.readouterr().out == "1 receipt deleted.\n"
    assert [str(one.token) for one in Receipt.objects.all()] == [old[TOKEN_FIELD]]


def test_pages_of_a_receipt_that_was_cleared_are_there_without_it(
    client, question, voted
):
    call_command("clear_receipts", "--days=1")
    token = voted[0][TOKEN_FIELD]
    assert client.get(f"/receipts/{token}/").status_code == 404
    results = client.get(f"/polls/{question.pk}/results/?receipt={token}")
    assert results.status_code == 200
    assert counts()["The sky"] == 14


@pytest.mark.parametrize("days", ["0", "-3", "99999999999"])
def test_a_number_that_is_none_of_days_is_refused(voted, days):
    with pytest.raises(CommandError, match="takes a number from 1 to"):
        call_command("clear_receipts", f"--days={days}")
    assert Receipt.objects.count() == 2
