from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("versioning", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="mergedraft",
            name="required",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="decision",
            name="mends",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="decision",
            name="take",
            field=models.CharField(
                choices=[
                    ("ours", "ours"),
                    ("theirs", "theirs"),
                    ("base", "base"),
                    ("sum", "sum"),
                    ("value", "value"),
                    ("drop", "drop"),
                    ("both", "both"),
                ],
                max_length=10,
            ),
        ),
    ]
