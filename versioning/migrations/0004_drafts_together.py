from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

PERSON_NAME_LENGTH = 255

#: Where a user is named: model, key, and the text beside it.
_NAMED = (
    ("MergeDraft", "created_by", "created_by_name"),
    ("MergeDraft", "landed_by", "landed_by_name"),
    ("Decision", "decided_by", "decided_by_name"),
)


def keep_names(apps: Any, schema_editor: Any) -> None:
    """Write down who did it, of the users who are still there."""
    alias = schema_editor.connection.alias
    user = get_user_model()
    people = apps.get_model(settings.AUTH_USER_MODEL)._default_manager.using(alias)
    for model, key, name in _NAMED:
        person = people.filter(pk=OuterRef(key)).values(user.USERNAME_FIELD)[:1]
        apps.get_model("versioning", model)._default_manager.using(alias).filter(
            **{f"{key}__in": people.all(), name: ""}
        ).update(**{name: Subquery(person)})


def _name() -> Any:
    return models.CharField(blank=True, default="", max_length=PERSON_NAME_LENGTH)


class Migration(migrations.Migration):
    dependencies = [
        ("versioning", "0003_view_hidden"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("mergedraft", "created_by_name", _name()),
        migrations.AddField("mergedraft", "landed_by_name", _name()),
        migrations.AddField("mergedraft", "abandoned_by_name", _name()),
        migrations.AddField(
            "mergedraft", "abandoned_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AlterField(
            "mergedraft",
            "state",
            models.CharField(
                choices=[
                    ("open", "being settled"),
                    ("landed", "merged"),
                    ("abandoned", "set aside"),
                ],
                default="open",
                max_length=10,
            ),
        ),
        migrations.AddField("decision", "decided_by_name", _name()),
        migrations.AddField("decision", "needed", models.BooleanField(default=True)),
        migrations.RunPython(keep_names, migrations.RunPython.noop, elidable=True),
    ]
