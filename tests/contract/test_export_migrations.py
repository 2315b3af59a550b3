"""What a migration changes, as SQL: run on the state before, it makes the one after."""

import pytest

NOT_NULL = "migrations.AddField('question', 'mood', models.IntegerField(default=7))"
NULL = "migrations.AddField('question', 'mood', models.IntegerField(null=True))"
OPERATIONS = {
    "field added that may be empty": [NULL],
    "field added that may not": [NOT_NULL],
    "field added with a default of the database": [
        "migrations.AddField('question', 'mood', "
        "models.CharField(max_length=9, db_default='it''s'))"
    ],
    "field that refers to another model": [
        "migrations.AddField('question', 'best', models.ForeignKey("
        "'polls.Choice', models.SET_NULL, null=True, related_name='+'))"
    ],
    "field removed": ["migrations.RemoveField('question', 'details')"],
    "field renamed": ["migrations.RenameField('question', 'details', 'notes')"],
    "field longer": [
        "migrations.AlterField('question', 'text', models.CharField(max_length=300))"
    ],
    "field may be empty": [
        "migrations.AlterField('question', 'text', "
        "models.CharField(max_length=200, null=True))"
    ],
    "field of another type": [
        "migrations.AlterField('choice', 'votes', models.CharField(max_length=20))"
    ],
    "model renamed": ["migrations.RenameModel('Question', 'Poll')"],
    "model with another table": [
        "migrations.AlterModelTable('question', 'asked_things')"
    ],
    "check": [
        "migrations.AddConstraint('choice', models.CheckConstraint("
        "condition=models.Q(votes__lt=1000), name='few_votes'))"
    ],
    "check of text": [
        "migrations.AddConstraint('choice', models.CheckConstraint("
        "condition=~models.Q(text__startswith=\"it's 100%\"), name='no_such_text'))"
    ],
    "unique": [
        "migrations.AddConstraint('choice', models.UniqueConstraint("
        "fields=['text'], name='one_text'))"
    ],
    "index": [
        "migrations.AddIndex('choice', models.Index("
        "fields=['votes', '-text'], name='by_votes'))"
    ],
    "model made": [
        "migrations.CreateModel('Note', [('id', models.BigAutoField(primary_key=True)),"
        "('text', models.TextField()), ('choice', models.ForeignKey('polls.Choice', "
        "models.CASCADE))])"
    ],
    "model without a model": ["migrations.DeleteModel('Choice')"],
    "generated field": [
        "migrations.AddField('choice', 'twice', models.GeneratedField("
        "expression=models.F('votes') * 2, output_field=models.IntegerField(), "
        "db_persist=True))"
    ],
    "several": [
        NOT_NULL,
        "migrations.RemoveField('question', 'details')",
        "migrations.AddField('choice', 'mark', models.BooleanField(default=False))",
        "migrations.RenameField('question', 'text', 'words')",
        "migrations.AddConstraint('choice', models.CheckConstraint("
        "condition=models.Q(votes__gte=0), name='some_votes'))",
    ],
}


@pytest.fixture
def states(repository, code, poll):
    """Hashes before and after a migration with these operations."""

    def make(*operations):
        before = repository.head("main")
        code.add("0002_next", *operations)
        code.migrate("main")
        return before, repository.head("main")

    return make


@pytest.mark.parametrize("operations", OPERATIONS.values(), ids=OPERATIONS)
def test_it_leads_there_and_back(states, leads_there, operations):
    before, after = states(*operations)
    leads_there(before, after)
    leads_there(after, before)
