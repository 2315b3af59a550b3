from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("versioning", "0007_receipt_digest")]

    operations = [
        migrations.AddField(
            "revision",
            "page",
            models.CharField(blank=True, default="", max_length=32),
        ),
    ]
