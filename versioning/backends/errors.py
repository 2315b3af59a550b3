"""
What can go wrong with a versioned engine, as types.

Each backend translates its engine's errors into these where they are known;
``versioning.pages`` turns them into pages in one place. Those that the
database raised are also Django database errors, so that code that knows
nothing of versioning still meets what it expects.
"""

from django.db import OperationalError


class VersioningError(Exception):
    """Anything that this package raises by itself."""


class EngineError(VersioningError, OperationalError):
    """An engine refused a version-control statement; ``str()`` is its text."""


class EngineUnavailable(EngineError):
    """The engine can't be reached, or the connection to it died."""


class EngineBusy(EngineError):
    """A lock wasn't free within the time allowed. Nothing was written."""


class SerializationFailure(EngineError):
    """
    The transaction met another one's commit and was rolled back.

    The whole unit can be repeated.
    """


class UnknownRef(EngineError):
    """No branch, tag or commit has this name or hash."""

    def __init__(self, ref: str):
        super().__init__(f"There is no branch, tag or commit “{ref}”.")
        self.ref = ref


class AmbiguousRef(UnknownRef):
    """Hashes of several commits begin with what was given for one."""

    def __init__(self, ref: str):
        EngineError.__init__(
            self,
            f"The hashes of several commits begin with “{ref}”. Give more of the one "
            "that you mean.",
        )
        self.ref = ref


class BadCursor(VersioningError, ValueError):
    """Where a list was to go on is no place in it; ``str()`` is a sentence."""

    def __init__(self) -> None:
        super().__init__("The address is damaged: it doesn’t say where to go on.")


class UnknownTable(EngineError):
    """No state compared has a table of this name."""

    def __init__(self, table: str):
        super().__init__(f"There is no table “{table}”.")
        self.table = table


class BranchError(EngineError):
    """A branch can't be made, renamed or deleted."""

    def __init__(self, branch: str, text: str):
        super().__init__(text)
        self.branch = branch


class BranchNotFound(BranchError):
    def __init__(self, branch: str):
        super().__init__(branch, f"There is no branch “{branch}”.")


class BranchExists(BranchError):
    def __init__(self, branch: str):
        super().__init__(branch, f"There is already a branch “{branch}”.")


class InvalidBranchName(BranchError):
    def __init__(self, branch: str):
        super().__init__(branch, f"“{branch}” can’t be the name of a branch.")


class BranchIsDefault(BranchError):
    def __init__(self, branch: str):
        super().__init__(
            branch, f"“{branch}” is the default branch and stays what it is."
        )


class BranchInUse(BranchError):
    def __init__(self, branch: str):
        super().__init__(
            branch, f"“{branch}” is in use by another connection at the moment."
        )


class BranchNotMerged(BranchError):
    def __init__(self, branch: str):
        super().__init__(branch, f"“{branch}” holds commits that no other branch has.")


class TagError(EngineError):
    """A tag can’t be made or deleted."""

    def __init__(self, tag: str, text: str):
        super().__init__(text)
        self.tag = tag


class TagNotFound(TagError):
    def __init__(self, tag: str):
        super().__init__(tag, f"There is no tag “{tag}”.")


class TagExists(TagError):
    def __init__(self, tag: str):
        super().__init__(tag, f"There is already a tag “{tag}”.")


class InvalidTagName(TagError):
    def __init__(self, tag: str):
        super().__init__(tag, f"“{tag}” can’t be the name of a tag.")


class TagMoved(TagError):
    """A tag isn’t at the commit that the action was made for."""

    def __init__(self, tag: str, expected: str, found: str):
        super().__init__(tag, f"“{tag}” stands for another commit by now.")
        self.expected = expected
        self.found = found


class BranchMoved(EngineError):
    """A branch's head isn't the commit that the action was made for."""

    def __init__(self, branch: str, expected: str, found: str | None):
        super().__init__(f"“{branch}” has moved on since.")
        self.branch = branch
        self.expected = expected
        self.found = found


class UncommittedRows(EngineError):
    """Rows that nobody committed are in the way of a merge."""

    def __init__(self, tables: tuple[str, ...]):
        super().__init__(f"Uncommitted rows are in the way: {', '.join(tables)}.")
        self.tables = tables


class RowsLeftBehind(EngineError):
    """
    A branch's head came to a commit and its rows did not: another client wrote
    some of them at the same moment. ``versioning.moving`` puts that right.
    """

    def __init__(self, branch: str):
        super().__init__(
            f"“{branch}” is at the new commit, but another client wrote to the same "
            "rows at the same moment, and the server kept that client’s state of "
            "them. Compare the branch with the commit before you go on."
        )
        self.branch = branch


class CannotBeShown(EngineError):
    """
    Rows that the engine, or its driver, can't hand out; ``str()`` says in
    sentences why, and what can be done.
    """


class MergeBlocked(EngineError):
    """The engine can't merge these two states at all; ``str()`` is its reason."""


#: What is left to do where both branches have the same tables, and another past.
COMMIT_BY_COMMIT = (
    "Take over what one of the branches did commit by commit instead: each commit’s "
    "page offers it."
)


class MergeRefused(MergeBlocked):
    """
    Something would be lost, or can't be told; ``str()`` says it in sentences,
    and what can be done.
    """


class ConflictsRemain(EngineError):
    """A commit was refused as conflicts or violations are not all settled."""


class WriteOutsideBranch(VersioningError):
    """A row was about to be written while no branch was opened for writing."""

    def __init__(self) -> None:
        super().__init__(
            "This write isn’t on a branch, so it would belong to no commit. Open one "
            "first: with versioning.on_branch(“main”, author=…, message=…):"
        )


class ReadOnlyState(VersioningError):
    """A row was about to be written while a fixed state is being read."""

    def __init__(self, state: str):
        super().__init__(f"“{state}” is open for reading only; nothing was written.")
        self.state = state
