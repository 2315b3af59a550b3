from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("versioning", "0002_mends")]

    operations = [
        migrations.AlterModelOptions(
            name="access",
            options={
                "default_permissions": (),
                "managed": False,
                "permissions": [
                    ("view_history", "Can read branches, history and diffs"),
                    ("create_branch", "Can make and rename branches"),
                    ("merge_branch", "Can merge, and edit protected branches"),
                    ("delete_branch", "Can delete branches"),
                    ("view_hidden", "Can see columns that are hidden from others"),
                ],
            },
        ),
    ]
