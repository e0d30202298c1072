"""Images, labels and address events from ``.npz`` files and folders of idx files."""

from hwgen.datasets.address_events import AddressEvents, bin_events, read_address_events
from hwgen.datasets.files import holds_events, load
from hwgen.datasets.images import Dataset, as_images, as_labels

__all__ = [
    "AddressEvents",
    "Dataset",
    "as_images",
    "as_labels",
    "bin_events",
    "holds_events",
    "load",
    "read_address_events",
]
