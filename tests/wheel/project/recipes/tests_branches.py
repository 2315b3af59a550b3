"""Tests as a team writes them, of what ``versioning.test`` promises."""

from urllib.request import urlopen

from django.contrib.auth.models import User
from django.contrib.staticfiles.testing import StaticLiveServerTestCase

import versioning
from recipes.models import Recipe, Tag
from versioning import branches, tags
from versioning.conf import connection, repository
from versioning.test import (
    VersionedMixin,
    VersionedTestCase,
    VersionedTransactionTestCase,
)
from versioning.unit_of_work import ANONYMOUS


class Begins:
    """Each of these finds what the others leave, if anything is left."""

    begins_with: list[str] = []

    def test_once(self):
        self.leave_much()

    def test_twice(self):
        self.leave_much()

    def leave_much(self):
        self.assertEqual([tag.name for tag in Tag.objects.all()], self.begins_with)
        self.assertEqual([b.name for b in repository().branches()], ["main"])
        self.assertEqual(repository().tags(), [])
        self.assertFalse(User.objects.filter(username="guest").exists())
        with versioning.on_branch(message="Tag"):
            Tag.objects.all().delete()
            Tag.objects.create(name="left")
        branches.create(repository(), "summer", at="main")
        tags.create(repository(), "v1", at="main", message="", author=ANONYMOUS)
        User.objects.create_user("guest")
        with connection().bound("main"), connection().writing():
            Tag.objects.create(name="left and not committed")
            with connection().cursor() as cursor:
                cursor.execute("CREATE TABLE recipes_left (id int PRIMARY KEY)")


class WithData(Begins, VersionedTestCase):
    begins_with = ["quick"]

    @classmethod
    def setUpTestData(cls):
        cls.cook = User.objects.create_user("cook")
        with versioning.on_branch(message="Begin"):
            cls.tag = Tag.objects.create(name="quick")

    def test_own_data_is_there(self):
        self.assertEqual(Tag.objects.get(), self.tag)
        self.assertEqual(User.objects.get(), self.cook)


class WithoutData(Begins, VersionedTestCase):
    """Runs after the one above, which is gone by then."""


class WithoutTransactions(Begins, VersionedTransactionTestCase):
    pass


class WithFixtures(Begins, VersionedTestCase):
    fixtures = ["tags.json"]
    begins_with = ["from a file"]


class Served(VersionedMixin, StaticLiveServerTestCase):
    def test_a_page(self):
        with versioning.on_branch(message="Begin"):
            soup = Recipe.objects.create(title="Soup of the day")
        with urlopen(self.live_server_url + soup.get_absolute_url()) as page:
            self.assertIn("Soup of the day", page.read().decode())
