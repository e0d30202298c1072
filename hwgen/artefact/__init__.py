"""A network on disk: a folder with ``network.yaml`` and ``weights.npz`` (docs/artefact.md)."""

from hwgen.artefact.network_folder import ARRAYS_FILE, NETWORK_FILE, content_hash, load, save
from hwgen.artefact.schema import FORMAT, VERSION

__all__ = ["ARRAYS_FILE", "FORMAT", "NETWORK_FILE", "VERSION", "content_hash", "load", "save"]
