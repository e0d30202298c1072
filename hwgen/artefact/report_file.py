"""A report as a JSON file of a build folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, ValidationError

from hwgen.artefact.atomic import replace_file
from hwgen.artefact.plain_files import read_json, require_no_link
from hwgen.errors import ArtefactError
from hwgen.reading import TEXT_LIMIT
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
        """Write the file into a build folder, whole or not at all; gives its path.

        Raises :class:`.ArtefactError` where a link stands in its place.
        """
        path = folder / self.FILE
        require_no_link(path, below=folder)
        replace_file(path, self.model_dump_json(indent=1) + "\n")
        return path

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The report of a build folder; None if there is none.

        Raises :class:`.ArtefactError` if the file is damaged or from another version.
        """
        path = folder / cls.FILE
        try:
            return cls.model_validate_json(read_json(path, limit=cls.LIMIT))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            problem = first_problem(error) if isinstance(error, ValidationError) else str(error)
            raise ArtefactError(
                f"{path} is damaged or from another version of hwgen: {problem}; "
                f"run `hwgen {cls.COMMAND}` again"
            ) from error
