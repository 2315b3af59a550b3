from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def keep_names(apps: Any, schema_editor: Any) -> None:
    """Write down who deleted a branch, of the users who are still there."""
    alias = schema_editor.connection.alias
    people = apps.get_model(settings.AUTH_USER_MODEL)._default_manager.using(alias)
    name = get_user_model().USERNAME_FIELD
    person = people.filter(pk=OuterRef("deleted_by")).values(name)[:1]
    apps.get_model("versioning", "DeletedBranch")._default_manager.using(alias).filter(
        deleted_by__in=people.all(), deleted_by_name=""
    ).update(deleted_by_name=Subquery(person))


class Migration(migrations.Migration):
    dependencies = [
        ("versioning", "0004_drafts_together"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "deletedbranch",
            "deleted_by_name",
            models.CharField(blank=True, default="", max_length=255),
        ),
        migrations.RunPython(keep_names, migrations.RunPython.noop, elidable=True),
    ]
