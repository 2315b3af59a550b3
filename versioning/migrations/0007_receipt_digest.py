from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("versioning", "0006_revisions")]

    operations = [
        migrations.AddField(
            "receipt",
            "digest",
            models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
    ]
