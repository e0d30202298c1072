"""Errors and warnings that a user can act on: place, rule, value and remedy in one message."""


class HwgenError(Exception):
    """Base of all errors caused by input, options or tools; bugs raise other exceptions.

    ``exit_code`` is that of the command line.
    """

    exit_code = 2


class NetworkError(HwgenError):
    """A network breaks a rule of :mod:`hwgen.network`."""


class ArtefactError(HwgenError):
    """A network folder or build folder is missing, damaged, or holds something else."""


class StorageError(ArtefactError):
    """A place on disk cannot be used: full, read-only, or in use by another process."""

    exit_code = 3


class ConversionError(HwgenError):
    """A model cannot be converted, or a conversion option does not fit it."""


class DataError(HwgenError):
    """Images, events or labels have a wrong type, shape or range."""


class PlanError(HwgenError):
    """A hardware option does not fit the network or the board."""


class ToolError(HwgenError):
    """An external tool is missing or failed."""

    exit_code = 3


class MismatchError(HwgenError):
    """The Verilog differs from the golden model."""

    exit_code = 1


class HwgenWarning(UserWarning):
    """A result is probably not what was wanted; ``strict`` makes it an error.

    Raised by :mod:`hwgen.caution`. A filter that silences it: ``warnings.simplefilter("ignore",
    hwgen.errors.HwgenWarning)``.
    """


class HwgenNote(UserWarning):
    """A decision of hwgen that is worth knowing; never an error."""
