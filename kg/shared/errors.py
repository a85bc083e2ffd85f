"""The error a user can act upon, and errors of the system that ask for it."""

import errno

__all__ = ["NO_LOCKS", "InputError"]

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""Of a file system without locks, such as NFS without its lock daemon."""


class InputError(ValueError):
    """Input that cannot be used: the message says what, where, expected and got, and the next step.

    Commands print it as one line without a traceback and exit with status 2.
    """
