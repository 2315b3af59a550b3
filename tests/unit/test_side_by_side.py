"""Two definitions of a table beside each other."""

from versioning.presentation.definitions import LineKind, PartKind, parts, side_by_side

DOLT = """CREATE TABLE `t` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `a,(b` decimal(5,2) NOT NULL DEFAULT '(,`x',
  PRIMARY KEY (`id`),
  UNIQUE KEY `once` (`id`,`a,(b`),
  CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `u` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;"""
DOLTLITE = (
    'CREATE TABLE "a (b"("id" integer NOT NULL PRIMARY KEY, "n" decimal(5, 2) '
    'CHECK ("n" > 0), CONSTRAINT "once" UNIQUE ("id", "n"))'
)


def test_a_definition_has_columns_rules_and_the_rest():
    assert [(part.kind, part.name) for part in parts(DOLT)] == [
        (PartKind.COLUMN, "id"),
        (PartKind.COLUMN, "a,(b"),
        (PartKind.RULE, "PRIMARY KEY (`id`)"),
        (PartKind.RULE, 'UNIQUE KEY "once"'),
        (PartKind.RULE, 'CONSTRAINT "fk"'),
        (PartKind.OTHER, ""),
    ]
    assert parts(DOLT)[1].text == "`a,(b` decimal(5,2) NOT NULL DEFAULT '(,`x'"
    assert [part.text for part in parts(DOLTLITE)] == [
        '"id" integer NOT NULL PRIMARY KEY',
        '"n" decimal(5, 2) CHECK ("n" > 0)',
        'CONSTRAINT "once" UNIQUE ("id", "n")',
    ]


def test_what_is_no_definition_is_shown_by_lines():
    assert [part.text for part in parts("one\n\n two (")] == ["one", "two ("]
    assert parts("") == []


def test_like_parts_stand_beside_each_other_whatever_their_order():
    lines = side_by_side(
        'CREATE TABLE t("id" int, "b" int, "a" varchar(9) NOT NULL, "gone" int)',
        'CREATE TABLE t("id" int, "new" int, "a" varchar(20) NOT NULL, "b" int)',
    )
    found = [
        (line.kind, line.ours and line.ours.text, line.theirs and line.theirs.text)
        for line in lines
    ]
    assert found == [
        (LineKind.SAME, '"id" int', '"id" int'),
        (LineKind.THEIRS_ONLY, None, '"new" int'),
        (LineKind.SAME, '"b" int', '"b" int'),
        (LineKind.DIFFERENT, '"a" varchar(9) NOT NULL', '"a" varchar(20) NOT NULL'),
        (LineKind.OURS_ONLY, '"gone" int', None),
    ]
    different = lines[3]
    assert different.ours is not None and different.theirs is not None
    assert [s.text for s in different.ours.segments if s.changed] == ["9"]
    assert [s.text for s in different.theirs.segments if s.changed] == ["20"]
