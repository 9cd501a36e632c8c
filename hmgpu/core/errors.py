"""What a user can do wrong. Every message is one sentence that names the place and the remedy.

The command line prints these without a traceback and ends with status 1 (BusyError: 5); anything else that is raised is
a defect of ours and keeps its traceback.
"""


class HmgpuError(Exception):
    """Base of all errors that a user can mend."""


class ConfigError(HmgpuError):
    """A setting is unknown, of the wrong type, or can't work with the others."""


class DataError(HmgpuError):
    """A raw file, a row or an ingested data set is not what the contract says."""


class DiskError(HmgpuError):
    """A disk is full, or a folder can't be written."""


class BusyError(HmgpuError):
    """Another process is at it; later the same command may do."""


class EngineError(HmgpuError):
    """The engine that was asked for can't run on this machine."""


class RunError(HmgpuError):
    """A run directory lacks, or contradicts, what the command needs."""
