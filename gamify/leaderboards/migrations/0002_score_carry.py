"""Scores and ranges get a second column, so that sums are exact beyond 64 bits.

Rows keep their values: a carry of 0 leaves the score as it was. The previous release can still write, because the database fills in 0.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leaderboards", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="score",
            name="carry",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="scorerange",
            name="carry",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="score",
            index=models.Index(
                fields=["track", "period", "is_shown", "carry", "score", "earliness", "participant"],
                name="score_place",
            ),
        ),
        migrations.RemoveIndex(
            model_name="score",
            name="score_standing",
        ),
        migrations.AddConstraint(
            model_name="scorerange",
            constraint=models.UniqueConstraint(
                fields=("tenant", "track", "period", "level", "carry", "score", "earliness", "participant"),
                name="score_range_place_unique",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="scorerange",
            name="score_range_unique",
        ),
        migrations.AlterField(
            model_name="scorechange",
            name="changes",
            field=models.JSONField(),
        ),
    ]
