"""Errors that a user can mend: one message naming place, rule, value and remedy."""


class HwgenError(Exception):
    """Base of every error that is the input's fault, not hwgen's; a bug keeps its traceback."""

    exit_code = 2


class NetworkError(HwgenError):
    """A network that breaks a rule of :mod:`hwgen.network`."""


class ArtefactError(HwgenError):
    """A folder that is no artefact of hwgen, or that is damaged."""


class ConversionError(HwgenError):
    """A model or calibration data that cannot be converted."""


class DataError(HwgenError):
    """Images or labels of the wrong type, shape or range."""


class PlanError(HwgenError):
    """Hardware options that do not fit the network or the board."""


class ToolError(HwgenError):
    """An external tool that is missing or that failed."""

    exit_code = 3


class MismatchError(HwgenError):
    """The RTL differs from the golden model."""

    exit_code = 1
