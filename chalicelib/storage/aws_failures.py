"""What AWS answers when it does not do what it is asked: which failures are sent again, and as what the others come out."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import StorageError
from chalicelib.storage import Delete, Put
from chalicelib.storage.contract import object_missing

# botocore repeats throttles, 5xx and lost connections by itself; these are for what it does not know to be repeatable.
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05

MISSING = {"NoSuchKey", "404"}
BEYOND = {"InvalidRange", "416"}
TAKEN = {"PreconditionFailed"}
RACING_PUT = {"ConditionalRequestConflict"}
EXPECTATION_FAILED = {"ConditionalCheckFailed", "ConditionalCheckFailedException"}
COLLISION = {
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}
_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "ThrottlingException",
    "TooManyRequestsException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "403", "ExpiredToken", "ExpiredTokenException"}


def repeated(send: Callable[[], object], again: set[str], refused: set[str]) -> ClientError | None:
    """Send until it is done (None) or refused (the error), with a growing random pause after a failure in `again`."""
    for attempt in range(_ATTEMPTS):
        try:
            send()
        except ClientError as error:
            codes = _codes(error)
            if refused & codes:
                return error
            if not again & codes:
                raise
        else:
            return None
        pause(attempt)
    raise StorageError("storage_busy", "Other writers kept the storage busy.", "Try again later.")


def pause(attempt: int) -> None:
    """Wait at random, twice as long at most after each attempt."""
    time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))


def _codes(error: ClientError) -> set[str]:
    return {error.response["Error"]["Code"], *_reasons(error)}


def _reasons(error: ClientError) -> list[str]:
    """Why a transaction was cancelled: one code for each write, `None` for those that were not at fault."""
    return [reason["Code"] for reason in error.response.get("CancellationReasons", [])]


def culprit(writes: Sequence[Put | Delete], error: ClientError) -> Put | Delete:
    """The write whose expectation did not hold."""
    at_fault = [write for write, code in zip(writes, _reasons(error), strict=False) if code in EXPECTATION_FAILED]
    return (at_fault or list(writes))[0]


@contextlib.contextmanager
def failures(key: str | None = None) -> Iterator[None]:
    """Every failure as one of the family; a missing object is NotFound where its `key` is given."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if key is not None and code in MISSING:
            raise object_missing(key) from error
        if code in _BUSY:
            raise StorageError("storage_busy", f"AWS takes no more requests now ({code}).", "Try later.") from error
        if code in _DENIED:
            raise StorageError("storage_denied", f"AWS denies {error.operation_name} ({code}).") from error
        raise StorageError("storage_failed", f"AWS failed at {error.operation_name} ({code}).", "Try later.") from error
    except (BotoCoreError, Boto3Error) as error:
        detail = f"AWS cannot be used ({type(error).__name__})."
        raise StorageError("storage_unreachable", detail, "Try later.") from error
