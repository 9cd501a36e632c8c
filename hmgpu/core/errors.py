"""Errors that a user can fix; every message is one sentence that names the place and the remedy.

The command line prints them without a traceback and exits with status 1 (BusyError: 5). Any other exception is a bug in
hmgpu and keeps its traceback.
"""


def reason(error: BaseException) -> str:
    """Return what went wrong, for a sentence in brackets: without Python's words, and without the full stop."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


class HmgpuError(Exception):
    """Base of all errors that a user can fix."""


class ConfigError(HmgpuError):
    """A setting is unknown, has the wrong type, or contradicts another one."""


class DataError(HmgpuError):
    """A raw file, a row or an ingested data set breaks the contract."""


class DiskError(HmgpuError):
    """A disk is full, or a folder can't be written."""


class BusyError(HmgpuError):
    """Another process is working on the same thing; the same command may succeed later."""


class EngineError(HmgpuError):
    """The engine that was asked for can't run on this machine."""


class RunError(HmgpuError):
    """A run directory lacks or contradicts what the command needs."""
