"""Images, labels and address events: from files, and from what a program has in memory."""

from hwgen.datasets.address_events import AddressEvents, bin_events, read_address_events
from hwgen.datasets.dataset import Dataset
from hwgen.datasets.files import holds_events, load
from hwgen.datasets.images import as_images
from hwgen.datasets.labels import as_labels
from hwgen.datasets.scaling import Scaling, find_pixels
from hwgen.datasets.sources import as_arrays

__all__ = [
    "AddressEvents",
    "Dataset",
    "Scaling",
    "as_arrays",
    "as_images",
    "as_labels",
    "bin_events",
    "find_pixels",
    "holds_events",
    "load",
    "read_address_events",
]
