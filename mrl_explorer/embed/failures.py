"""What can go wrong between a request and its vectors, whichever client library sent it."""

MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
"""What reading an answer ends in that is not as it should be."""


class SendError(Exception):
    """A request came to nothing; the message says why."""


class UnreachableError(SendError):
    """The endpoint does not answer, or answers too much: nothing to try again."""


class ForbiddenError(SendError):
    """The endpoint is in the server's own network, or is not encrypted."""


class LateError(SendError):
    """The answer took too long."""


class BrokenError(SendError):
    """The connection broke off."""


class UnreadableError(SendError):
    """The answer is no list of vectors."""


class RefusedError(SendError):
    """The endpoint answered with an error.

    Parameters
    ----------
    status : int
        Of HTTP, 300 or more.
    body : str
        What it said.
    wait : float or None
        Seconds after which to try again, where it named them.
    """

    def __init__(self, status: int, body: str, wait: float | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body
        self.wait = wait
