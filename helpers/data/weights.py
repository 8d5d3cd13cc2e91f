"""Weights of the networks that labs build upon."""

from pathlib import Path

from helpers.data import registry, sources
from helpers.data.files import DataError


def backbone_weights(photos: sources.Source) -> tuple[Path, sources.Source]:
    """Return the file with the weights of the network that goes with `photos`, and its source.

    `photos` is the source of what the network shall see. With real photos it is MobileNetV2 (alpha
    0.35, trained on ImageNet), with offline photos the network that was trained on animals of the
    same making: either would be half blind to the others. Prints which. Raises `DataError` when
    the photos are real and MobileNetV2 can't be had, which the loaders of photos prevent, or when
    the data folder that COURSE_DATA names can't be used.
    """
    dataset = registry.dataset("mobilenet")
    if photos.real:
        _, source = sources.find("mobilenet")
        if not source.real:
            raise DataError(
                f"The photos are real, but {source.title}, the network that goes with them, is "
                f"missing now ({'; '.join(source.notes)}). Load the photos again"
            )
        name = dataset.files[0].name
    else:
        source = sources.offline("mobilenet", "it goes with the offline photos")
        (name,) = dataset.offline_files
    print(source)
    return source.place / name, source
