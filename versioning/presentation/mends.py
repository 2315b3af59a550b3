"""
Rows of a merge's result that break a rule, as cards: what is wrong, and what
can be done about it. Sides are called by their branches' names here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from typing import Any

from django import forms

from versioning.backends.repository import (
    ConflictRow,
    Key,
    MergeSides,
    Repository,
    Row,
    Violation,
    ViolationKind,
)
from versioning.merging import deciding, drafts
from versioning.merging.choices import ChoicesInvalid, texts_to_choose, typing_field
from versioning.merging.resolution import WHOLE_ROW, Take
from versioning.merging.trial import Trial, Trouble
from versioning.merging.validation import InvalidRow
from versioning.models import Decision
from versioning.presentation import reasons
from versioning.presentation.cells import Shown
from versioning.presentation.choices import Said, column_name, said, shown_value
from versioning.presentation.clashes import Clash
from versioning.presentation.conflicts import Names, anchor, as_typed
from versioning.presentation.snapshot import Snapshot
from versioning.values import TableValues, key_columns, key_text, model_for, table_name
from versioning.visibility import hidden_among


@dataclass(frozen=True, slots=True)
class Way:
    """Something that can be done with a row as a whole."""

    take: str  # "" to leave it as it is
    label: str
    chosen: bool


#: So many objects are offered by name to be pointed to; of more, the key is typed.
OFFERED = 100


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of the field's own, or an object that a row can refer to."""

    text: str  # as a form sends it; an object's is its key
    name: str


@dataclass(frozen=True, slots=True)
class MendField:
    """A cell of the row that can be typed anew."""

    column: str
    name: str
    text: str  # as it will be, or as it was typed last
    was: str  # as it will be, in the form that is typed
    stands_for: str  # the name of the object that it refers to, or ""
    is_long: bool
    involved: bool  # whether what is wrong is about it
    mended: bool
    is_gone: bool  # what it refers to will not be there
    none_left: bool  # nor is there anything else
    options: tuple[Option, ...] = ()  # what it can be, if that is offered
    error: str = ""

    @property
    def waits(self) -> bool:
        """Whether another is to be chosen, and none was yet."""
        return self.is_gone and self.text == self.was

    @property
    def offers_its_text(self) -> bool:
        return any(option.text == self.text for option in self.options)


@dataclass(frozen=True, slots=True)
class Outdated:
    """Something that was mended when the row was another."""

    decision: Decision
    name: str  # of the column, or the row
    chosen: Said
    can_be_again: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that has no place in the result, whatever is chosen."""

    name: str  # of the column
    shown: Shown
    where: str  # "on main"


@dataclass(frozen=True, slots=True)
class MendCard:
    anchor: str
    table: str
    table_name: str
    key: str
    heading: str
    origin: str  # where the row is new, or ""
    reasons: tuple[str, ...]  # what is wrong, in sentences; () once it is mended
    ways: tuple[Way, ...]
    fields: tuple[MendField, ...]
    decisions: tuple[Decision, ...]  # that count, latest first
    outdated: tuple[Outdated, ...]
    seen: tuple[tuple[str, str], ...]  # of all decisions about the row: see meanwhile
    lost: tuple[Lost, ...] = ()
    along: str = ""  # with what it was deleted, in a sentence
    clash: Clash | None = None  # with what was sent just now
    problem: str = ""  # why nothing was kept of that

    @property
    def is_mended(self) -> bool:
        return not self.reasons

    @property
    def involved(self) -> tuple[MendField, ...]:
        return tuple(field for field in self.fields if field.involved)

    @property
    def others(self) -> tuple[MendField, ...]:
        return tuple(field for field in self.fields if not field.involved)


@dataclass(frozen=True, slots=True)
class OldFault:
    """A row that broke a rule before the merge, and still does."""

    heading: str
    reasons: tuple[str, ...]


def mend_anchor(table: str, key: str) -> str:
    """The id of a row's card; its card as a conflict has another."""
    return f"mend-{anchor(table, key)}"


def with_typed(card: MendCard, refused: ChoicesInvalid) -> MendCard:
    """The card with what was typed still in its fields, and why it can't be taken."""
    return replace(
        card,
        fields=tuple(
            replace(
                field,
                text=refused.typed.get(field.column, field.text),
                error=refused.errors.get(field.column, ""),
                involved=field.involved or field.column in refused.errors,
            )
            for field in card.fields
        ),
    )


_IN_WORDS = {
    ViolationKind.CHECK: "is not what the table allows",
    ViolationKind.CHECK + "s": "together are not what the table allows",
    ViolationKind.NOT_NULL: "is missing, and may not be",
}


def _said_by_model(violation: Violation) -> str:
    """What the model says when this check is broken, if that is its own."""
    model = model_for(violation.table)
    for constraint in model._meta.constraints if model and violation.rule else ():
        said = constraint.get_violation_error_message()
        usual = constraint.default_violation_error_message
        if constraint.name == violation.rule and (
            constraint.violation_error_message != usual
        ):
            return str(said)
    return ""


class MendCards:
    """Cards for what a trial found; names are read as of the sides' commits."""

    def __init__(self, repository: Repository, sides: MergeSides, names: Names):
        self._repository = repository
        self._names = names
        # A side that is no branch is called what the change is called.
        self._on_ours = f"on {names.ours}"
        self._gone = "It was deleted" if sides.is_merge else "It is gone"
        self._on_theirs = f"on {names.theirs}" if sides.is_merge else names.theirs
        self._offered: dict[tuple[str, str], tuple[Option, ...] | None] = {}
        self._snapshots = (
            Snapshot(repository, sides.ours),
            Snapshot(repository, sides.theirs),
            Snapshot(repository, sides.base),
        )

    def cards(
        self, trial: Trial, made: Sequence[Mapping[str, Decision]]
    ) -> list[MendCard]:
        """
        Faults first, then what is mended, then what was deleted along with it, each
        by table and key. ``made`` are all decisions about each of the trial's rows,
        by column.
        """
        headings = self._headings(
            [(row.versions.table, row.versions.key, _any(row)) for row in trial.rows]
        )
        rows = [
            (row, about)
            for row, about in zip(trial.rows, made, strict=True)
            if not _tells_what_is_hidden(row)
        ]
        if trial.complete:
            rows = [(row, about) for row, about in rows if not row.is_left_alone]
        shown = sorted(rows, key=lambda row: (row[0].is_mended, not row[0].mend))
        return [self._card(row, about, headings) for row, about in shown]

    def old(self, rows: Sequence[InvalidRow]) -> list[OldFault]:
        headings = self._headings([(row.table, row.key, None) for row in rows])
        return [
            OldFault(
                headings[row.table, row.key],
                reasons.of_row(row.table, row.reasons, row.columns),
            )
            for row in rows
        ]

    def heading(self, versions: ConflictRow) -> str:
        """What one row is, in words."""
        row = versions.ours or versions.theirs or versions.base
        where = versions.table, versions.key
        return self._headings([(*where, row)])[where]

    def _headings(
        self, rows: Sequence[tuple[str, Key, Row | None]]
    ) -> dict[tuple[str, Key], str]:
        found: dict[tuple[str, Key], str] = {}
        for table in {table for table, _, _ in rows}:
            wanted = {key: row for t, key, row in rows if t == table}
            for snapshot in self._snapshots:
                missing = [key for key in wanted if (table, key) not in found]
                there = self._there(snapshot, table, missing)
                labels = snapshot.labels(table, there)
                found |= {(table, key): label for key, label in labels.items()}
            for key, row in wanted.items():
                if (table, key) not in found:
                    labels = self._snapshots[0].labels(table, {key: row or {}})
                    found[table, key] = labels[key]
        return found

    def _there(
        self, snapshot: Snapshot, table: str, keys: Sequence[Key]
    ) -> dict[Key, Row]:
        if not keys or table not in self._repository.tables(at=snapshot.at):
            return {}
        return self._repository.rows(table, keys, at=snapshot.at)

    def _card(
        self,
        row: Trouble,
        about: Mapping[str, Decision],
        headings: dict[tuple[str, Key], str],
    ) -> MendCard:
        table, key = row.versions.table, row.versions.key
        text = key_text(key)
        made = row.mend.decisions if row.mend else {}
        outdated = row.mend.outdated if row.mend else {}
        return MendCard(
            anchor=mend_anchor(table, text),
            table=table,
            table_name=table_name(table),
            key=text,
            heading=headings[table, key],
            origin=self._origin(row),
            reasons=tuple(self._reasons(row, headings)),
            ways=tuple(self._ways(row, made)),
            fields=tuple(self._fields(row, made)),
            decisions=tuple(
                sorted(made.values(), key=lambda d: d.decided_at, reverse=True)
            ),
            outdated=tuple(self._outdated(row, d) for d in outdated.values()),
            seen=tuple(
                (
                    column,
                    decision.stamp
                    if decision.outdated or hidden_among(table, [column])
                    else decision.shown_as,
                )
                for column, decision in about.items()
            ),
            lost=tuple(self._lost(row)),
            along=self._along(row, headings),
        )

    def _along(self, row: Trouble, headings: dict[tuple[str, Key], str]) -> str:
        if not row.gone_with:
            return ""
        versions = row.versions
        where = self._on_ours if versions.ours is None else self._on_theirs
        # To name it would tell what the row holds.
        parents = [
            headings[parent.table, parent.key]
            for parent in row.gone_with
            if not hidden_among(versions.table, [parent.column])
        ]
        if not parents:
            return f"{self._gone} {where}, and will not be there."
        with_it = " and ".join(parents)
        return f"{self._gone} {where} along with {with_it}, and is not kept with that."

    def _lost(self, row: Trouble) -> Iterator[Lost]:
        values = TableValues(row.versions.table, self._repository.connection)
        for side, column, value in row.lost:
            yield Lost(
                values.column_name(column),
                shown_value(values, column, value),
                self._on_ours if side is Take.OURS else self._on_theirs,
            )

    def _outdated(self, row: Trouble, decision: Decision) -> Outdated:
        values = TableValues(row.versions.table, self._repository.connection)
        column, choice = decision.column, drafts.choice_of(decision)
        return Outdated(
            decision,
            column_name(values, column),
            said(values, column, choice, decision.seen, self._names),
            deciding.can_mend(row.versions, column, choice)
            and not hidden_among(row.versions.table, [column]),
        )

    def _origin(self, row: Trouble) -> str:
        versions = row.versions
        if versions.base is not None or (versions.ours and versions.theirs):
            return ""
        return f"New {self._on_ours if versions.ours else self._on_theirs}."

    def _reasons(
        self, row: Trouble, headings: dict[tuple[str, Key], str]
    ) -> Iterator[str]:
        values = TableValues(row.versions.table, self._repository.connection)
        for violation in row.violations:
            yield self._sentence(values, violation, headings)
        if row.missed_by:
            where = [
                name
                for name, version in (
                    (self._on_ours, row.versions.ours),
                    (self._on_theirs, row.versions.theirs),
                )
                if version is None
            ]
            gone = "It is gone"
            if where:
                # Only a branch deletes: a commit's change is merely without it.
                gone = f"{self._gone} {' and '.join(where)}"
            pointing = ", ".join(
                # To name it would tell what it holds.
                f"a row of {table_name(v.table)}"
                if hidden_among(v.table, v.columns)
                else headings[v.table, v.key]
                for v in row.missed_by[:3]
            )
            more = (
                f" and {len(row.missed_by) - 3} more" if len(row.missed_by) > 3 else ""
            )
            yield f"{gone}, and this points to it: {pointing}{more}."
        yield from reasons.of_row(row.versions.table, row.reasons, row.columns)
        said = (reasons.of_what_it_bears_on(*broken) for broken in row.bears_on)
        yield from dict.fromkeys(said)

    @staticmethod
    def _sentence(
        values: TableValues,
        violation: Violation,
        headings: dict[tuple[str, Key], str],
    ) -> str:
        columns = " and ".join(values.column_name(c) for c in violation.columns)
        if hidden_among(violation.table, violation.columns):
            return reasons.BREAKS_HIDDEN
        if violation.kind is ViolationKind.FOREIGN_KEY:
            held = ", ".join(str(violation.row[c]) for c in violation.columns)
            to = headings.get(
                (violation.referenced_table, violation.referenced_key),
                f"{table_name(violation.referenced_table)} {held}",
            )
            verb = "points" if len(violation.columns) == 1 else "point"
            return f"{columns} {verb} to {to}, which will not be there."
        if violation.kind is ViolationKind.UNIQUE:
            same = columns.lower() or "values"
            return f"Another row has the same {same}, which may be there only once."
        if said := _said_by_model(violation):
            return said
        many = "s" if len(violation.columns) > 1 else ""
        return f"{columns or 'A value'} {_IN_WORDS[violation.kind + many]}."

    def _ways(self, row: Trouble, made: dict[str, Decision]) -> Iterator[Way]:
        whole = made.get(WHOLE_ROW)
        chosen = whole.take if whole else ""
        # Where nothing can be typed, to leave a row as it is mends nothing.
        if whole or row.is_mended or row.result is None or self._has_fields(row):
            # What is still to be mended was left as it is by nobody.
            is_left = not chosen and (row.is_mended or bool(made))
            yield Way("", self._without_choice(row, bool(whole)), is_left)
        versions = row.versions
        for take, where, version in (
            (Take.OURS, self._on_ours, versions.ours),
            (Take.THEIRS, self._on_theirs, versions.theirs),
        ):
            is_another = version is not None and version != row.result
            is_open = row.is_unclear and version is not None
            if is_another or is_open or chosen == take:
                label = f"Keep it as {where}"
                yield Way(take, label, chosen == take)
        if row.result is not None or chosen == Take.DROP:
            yield Way(Take.DROP, "Leave the row out", chosen == Take.DROP)

    @staticmethod
    def _without_choice(row: Trouble, has_choice: bool) -> str:
        """What it means to choose none of the rows that there are for it."""
        if has_choice:
            return "As the merge makes it"
        if row.result is None:
            out = "Leave it out"
            return out if row.is_mended else f"{out}, and mend what points to it"
        return "With the values below" if row.is_mended else "Change its values below"

    @staticmethod
    def _has_fields(row: Trouble) -> bool:
        return model_for(row.versions.table) is not None

    def _fields(self, row: Trouble, made: dict[str, Decision]) -> Iterator[MendField]:
        if row.result is None:
            return
        values = TableValues(row.versions.table, self._repository.connection)
        key = key_columns(row.versions.table)
        hidden = hidden_among(row.versions.table, row.result)
        involved = {c for violation in row.violations for c in violation.columns}
        gone = {
            violation.columns[0]
            for violation in row.violations
            if violation.kind is ViolationKind.FOREIGN_KEY
            and len(violation.columns) == 1
        }
        involved |= set(row.columns)
        involved |= {column for column in made if column != WHOLE_ROW}
        names: dict[str, dict[Any, str]] = {}
        for snapshot in reversed(self._snapshots):
            related = snapshot.related_names(row.versions.table, [row.result])
            for column, by_value in related.items():
                names[column] = names.get(column, {}) | by_value
        for column, raw in row.result.items():
            field = values.field(column)
            if field is None or column in key:
                continue
            form_field = typing_field(field)
            if form_field is None or column in hidden:
                continue
            text = (
                ""
                if raw is None
                else as_typed(form_field, values.to_field(column, raw))
            )
            options = tuple(starmap(Option, texts_to_choose(field).items()))
            none_left = False
            if not options and column in involved:
                offered = self._options(values, column, form_field)
                options = offered or ()
                if column in gone:
                    options = tuple(one for one in options if one.text != text)
                    none_left = offered is not None and not options
            yield MendField(
                column,
                values.column_name(column),
                text,
                text,
                names.get(column, {}).get(raw, ""),
                # A field of one line loses the ends of others.
                isinstance(form_field.widget, forms.Textarea)
                or any(end in text for end in "\r\n"),
                column in involved,
                column in made,
                column in gone,
                none_left,
                options,
            )

    def _options(
        self, values: TableValues, column: str, form_field: forms.Field
    ) -> tuple[Option, ...] | None:
        """What a column can point to; None where that is not offered."""
        where = values.table, column
        if where not in self._offered:
            names = self._names_to_point_to(values.table, column)
            self._offered[where] = (
                None
                if names is None
                else tuple(self._as_options(names, values, column, form_field))
            )
        return self._offered[where]

    @staticmethod
    def _as_options(
        names: dict[Any, str],
        values: TableValues,
        column: str,
        form_field: forms.Field,
    ) -> Iterator[Option]:
        if not form_field.required:
            yield Option("", "none")
        often = Counter(names.values())
        for raw, name in sorted(names.items(), key=lambda item: item[1]):
            text = as_typed(form_field, values.to_field(column, raw))
            yield Option(text, name if often[name] == 1 else f"{name} ({text})")

    def _names_to_point_to(self, table: str, column: str) -> dict[Any, str] | None:
        """What the target has, and what comes with the merge; None for too many."""
        ours, theirs, base = self._snapshots
        here = ours.names_to_point_to(table, column, limit=OFFERED)
        new = theirs.names_to_point_to(table, column, limit=OFFERED, since=base.at)
        names = {**(new or {}), **(here or {})}
        is_known = here is not None and new is not None
        return names if is_known and len(names) <= OFFERED else None


def _tells_what_is_hidden(row: Trouble) -> bool:
    """Whether a row has a card only as it points to a kept one by a hidden column."""
    if not row.gone_with or not row.is_mended or row.mend:
        return False
    columns = {parent.column for parent in row.gone_with}
    return columns <= hidden_among(row.versions.table, columns)


def _any(row: Trouble) -> Row | None:
    versions = row.versions
    return row.result or versions.ours or versions.theirs or versions.base
