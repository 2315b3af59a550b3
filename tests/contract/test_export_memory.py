"""How much memory a large export takes, in a process that does nothing else."""

import subprocess
import sys

import versioning
from polls.models import Question
from tests.site import ROOT

ROWS = 8_000
WIDTH = 4_000  # characters: 32 MB in each of the two states
AT_MOST = 8  # MB more than when the first rows had come

SCRIPT = """
import re, sys, django
django.setup()
from django.db import connections
from versioning.conf import repository

name, before, after = sys.argv[1:]
connections["versioned"].settings_dict["NAME"] = name


def taken():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmRSS:\\s+(\\d+)", status.read())[1]) / 1024


count, first = 0, 0
for change in repository().stream_changes("polls_question", before, after):
    count += 1
    if count == 1000:
        first = taken()
print(count, taken() - first)
"""


def test_an_export_takes_no_more_memory_the_longer_it_is(repository, connection):
    with versioning.on_branch(message="Ask much"):
        Question.objects.bulk_create(
            [
                Question(text=f"{n}", details=f"{n} " * (WIDTH // 6))
                for n in range(ROWS)
            ],
            batch_size=500,
        )
    before = repository.head("main")
    with versioning.on_branch(message="Reword all"):
        Question.objects.update(published="2020-01-01 00:00:00Z")
    name = str(connection.settings_dict["NAME"])
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, before, repository.head("main")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert int(said[0]) == ROWS
    assert float(said[1]) < AT_MOST
