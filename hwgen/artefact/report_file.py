"""A report as a JSON file of a build folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, ValidationError

from hwgen.artefact.atomic import replace_file
from hwgen.errors import ArtefactError
from hwgen.reading import TEXT_LIMIT, ReadingError, read_bytes
from hwgen.validation import FrozenModel, first_problem


class ReportFile(FrozenModel):
    """Model in the file :attr:`FILE` of a build folder, which ``hwgen COMMAND`` writes."""

    FILE: ClassVar[str]
    COMMAND: ClassVar[str]
    LIMIT: ClassVar[int] = TEXT_LIMIT
    """Bytes of the file that are read at most."""

    model_config = ConfigDict(allow_inf_nan=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return self.model_dump(mode="json")

    def write(self, folder: Path) -> Path:
        """Write the file into a build folder, whole or not at all; gives its path."""
        replace_file(folder / self.FILE, self.model_dump_json(indent=1) + "\n")
        return folder / self.FILE

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The report of a build folder; None if there is none.

        Raises :class:`.ArtefactError` if the file is damaged or from another version.
        """
        path = folder / cls.FILE
        try:
            return cls.model_validate_json(read_bytes(path, limit=cls.LIMIT, links=False))
        except ReadingError as error:
            if error.missing:
                return None
            raise ArtefactError(f"{path} {error}; run `hwgen {cls.COMMAND}` again") from error
        except ValidationError as error:
            raise ArtefactError(
                f"{path} is damaged or from another version of hwgen: {first_problem(error)}; "
                f"run `hwgen {cls.COMMAND}` again"
            ) from error
