"""Which migrations the sides of a merge lack, so that they can be brought alike."""

from dataclasses import dataclass

from versioning import schema_state
from versioning.backends.repository import MergeSides
from versioning.merging.sources import Source
from versioning.schema_state import Difference


@dataclass(frozen=True, slots=True)
class Side:
    """A branch beside the code. Names are "app.0002_name"."""

    branch: str
    missing: tuple[str, ...]  # the code has them
    unknown: tuple[str, ...]  # the code lacks them

    @property
    def can_catch_up(self) -> bool:
        """Whether its migrations can be run by this code."""
        return bool(self.missing) and not self.unknown


@dataclass(frozen=True, slots=True)
class Alignment:
    """
    The branches of a merge whose migrations are not the code's. A commit that
    is undone or picked stays what it is, and so is none of them.
    """

    sides: tuple[Side, ...]
    differ: bool  # whether the two states have other migrations than each other

    @property
    def behind(self) -> tuple[Side, ...]:
        return tuple(side for side in self.sides if side.can_catch_up)

    @property
    def ahead(self) -> tuple[Side, ...]:
        """Those that this code can't bring up to date."""
        return tuple(side for side in self.sides if side.unknown)


def alignment(source: Source, target: str, sides: MergeSides) -> Alignment:
    """How the migrations of a merge's branches stand. Raises ``UnknownRef``."""
    found = schema_state.differences([sides.ours, sides.theirs])
    ours, theirs = found[sides.ours], found[sides.theirs]
    branches = [(target, ours)]
    if source.is_merge:
        branches.append((source.name, theirs))
    return Alignment(
        sides=tuple(
            _side(name, difference) for name, difference in branches if difference
        ),
        differ=ours != theirs,
    )


def _side(branch: str, difference: Difference) -> Side:
    return Side(branch, difference.missing, difference.unknown)
