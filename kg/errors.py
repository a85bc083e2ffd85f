"""The error a user can act upon."""

__all__ = ["InputError"]


class InputError(ValueError):
    """Input that cannot be used: the message says what, where, expected and got, and the next step.

    Commands print it as one line without a traceback and exit with status 2.
    """
