"""The error a user can act upon, the end of a job that was told to stop, errors of the system."""

import errno

__all__ = ["NO_LOCKS", "InputError", "Preempted"]

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""Of a file system without locks, such as NFS without its lock daemon."""


class InputError(ValueError):
    """Input that cannot be used: the message says what, where, expected and got, and the next step.

    Commands print it as one line without a traceback and exit with status 2.
    """


class Preempted(Exception):
    """A job that got SIGTERM and saved its state, from which the same command continues.

    Commands say where that is and exit with status 143, as a process that SIGTERM ended.
    """
