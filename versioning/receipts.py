"""
Forms that count once, however often they arrive.

A form carries a one-time token. Before its unit of work begins an intent is
kept in the default database; the unit's commit carries the token as a trailer,
so that change and token are one atomic write; a form that comes again finds
the trailer, under the branch's lock, among the commits made since the intent.
"""

import hashlib
import logging
import uuid
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.http import HttpRequest

from versioning import trailers
from versioning.backends.errors import UnknownRef
from versioning.backends.repository import Repository
from versioning.backends.turns import WritesInTurn
from versioning.http import form_of
from versioning.models import LOCATION_LENGTH, Receipt
from versioning.place import BRANCH_FIELD, SWITCH_FIELD, TOKEN_FIELD

TRAILER = trailers.FORM_TOKEN
_log = logging.getLogger(__name__)


def parse_token(text: str) -> uuid.UUID:
    """Raises ``ValueError`` for what no form of ours carries."""
    token = uuid.UUID(text)
    if str(token) != text:
        raise ValueError(text)
    return token


def digest_of(request: HttpRequest) -> str:
    """
    What a form holds that a person filled in, in short: hexadecimal digits. Before a
    view takes its files.
    """
    carried = {"csrfmiddlewaretoken", BRANCH_FIELD, SWITCH_FIELD, TOKEN_FIELD}
    fields = [
        (name, values)
        for name, values in sorted(form_of(request).lists())
        if name not in carried
    ]
    files = [
        (name, [(file.name, _content_of(file)) for file in files])
        for name, files in sorted(request.FILES.lists())
    ]
    return hashlib.sha256(repr((fields, files)).encode()).hexdigest()


def _content_of(file: UploadedFile) -> str:
    """The same for the same content; the file is at its beginning again."""
    digest = hashlib.sha256()
    try:
        for chunk in file.chunks():
            digest.update(chunk)
        file.seek(0)
    except (AttributeError, OSError):  # an upload handler has put it elsewhere
        return str(file.size)
    return digest.hexdigest()


def intend(
    token: uuid.UUID, *, branch: str, path: str, digest: str, repository: Repository
) -> Receipt:
    """
    The receipt of this token: made now with the branch's head, or as it was
    made when the form came first.
    """
    receipt = Receipt(
        token=token,
        branch=branch,
        head_before=repository.head(branch),
        path=path[:500],
        digest=digest,
    )
    try:
        # Nearly every form comes once, so it is not asked for first.
        with _one_write():
            receipt.save(force_insert=True)
    except IntegrityError:
        return Receipt.objects.get(token=token)
    return receipt


def take_along(receipt: Receipt, repository: Repository, branch: str) -> None:
    """Bind the intent of a form that came to nothing where it was sent to a branch."""
    receipt.branch, receipt.head_before = branch, repository.head(branch)
    with _one_write():
        receipt.save(update_fields=["branch", "head_before"])


def find_commit(receipt: Receipt, repository: Repository, *, head: str) -> str | None:
    """
    The hash of the commit that carries the receipt's token, or None.

    ``head`` is the hash that the receipt's branch has now: sure only under the
    branch's write lock.
    """
    if receipt.commit:
        return receipt.commit
    if head == receipt.head_before:
        return None
    line = f"{TRAILER}: {receipt.token}"
    try:
        since = repository.commits_saying([line], receipt.head_before, head)
    except UnknownRef:  # the branch was made anew since
        return None
    return next((c.hash for c in since if line in c.message.split("\n")), None)


def fulfil(
    receipt: Receipt, *, commit: str, location: str, digest: str | None = None
) -> None:
    """
    Note what came of a form. The commit is durable by now and says all that
    matters, so a default database that fails here costs no more than a page.
    """
    receipt.commit = commit
    if digest is not None:
        receipt.digest = digest
    # A part of an address leads nowhere; without one, the receipt's page is shown.
    receipt.location = location if len(location) <= LOCATION_LENGTH else ""
    try:
        with _one_write():
            receipt.save(update_fields=["commit", "location", "digest"])
    except DatabaseError:
        _log.exception("The receipt of %s could not be kept.", commit)


def _one_write() -> AbstractContextManager[Any]:
    """
    A statement alone needs no transaction, whose ends are two more ways to a
    server. Within one, as in a test, it may fail without spoiling that; and of
    a file only transactions get their turn as soon as nobody else writes.
    """
    using = router.db_for_write(Receipt)
    connection = connections[using]
    if connection.in_atomic_block or isinstance(connection, WritesInTurn):
        return transaction.atomic(using=using)
    return nullcontext()
