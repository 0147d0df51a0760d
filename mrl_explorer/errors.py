"""The one error type for input that a user can fix."""


class InputError(ValueError):
    """Input that the user can put right; the message is shown to them as it is.

    The message is one sentence that says what is wrong, where (file, row) and what to do.
    """
