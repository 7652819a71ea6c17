"""What can go wrong with the local servers. Every message is one sentence or two and says what to do.

::

    LocalServerError
    ├── WheelMissingError            the extra `local` is not installed
    ├── DataDirectoryInUseError      another process runs servers on it
    ├── DataDirectoryUnusableError   it can't be made, written or entered
    ├── DiskFullError
    ├── PortTakenError
    ├── OtherMajorVersionError       data of another Kafka or PostgreSQL
    ├── DownloadError                a jar can't be had from the Maven repository
    ├── JarMismatchError             a jar is not the one of the lock file
    ├── PrivilegeError               root can't give its rights up for PostgreSQL
    └── ServerFailedError            it ended or did not get ready; the end of its log is in the message
"""


class LocalServerError(Exception):
    """A local server can't run; the message says why and what to do."""


class WheelMissingError(LocalServerError):
    """A package of the extra ``local`` is missing."""


class DataDirectoryInUseError(LocalServerError):
    """Another process runs its servers on this data directory."""


class DataDirectoryUnusableError(LocalServerError):
    """The data directory can't be made, written or entered."""


class DiskFullError(LocalServerError):
    """Too little room."""


class PortTakenError(LocalServerError):
    """A port of this data directory is taken by another program."""


class OtherMajorVersionError(LocalServerError):
    """The data was written by another major version of the server."""


class DownloadError(LocalServerError):
    """A jar can't be had from the Maven repository."""


class JarMismatchError(LocalServerError):
    """A jar is not the one that the lock file names."""


class PrivilegeError(LocalServerError):
    """PostgreSQL refuses to run as root, and root's rights can't be given up here."""


class ServerFailedError(LocalServerError):
    """A server ended, or did not get ready in time."""
