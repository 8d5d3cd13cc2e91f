"""What training cells need besides Keras itself."""

import os


def progress():
    """Return the Keras callbacks that show a training's progress and the time left.

    Pass them to ``fit`` with ``verbose=0``. Under CI (the variable ``CI`` is set) the list is
    empty, so that stored outputs hold no progress bars.
    """
    if os.environ.get("CI"):
        return []
    from tqdm.keras import TqdmCallback

    return [TqdmCallback(verbose=1)]


def track(items):
    """Yield the items of a list, with a bar of how many are done and the time left.

    For cells that train several networks, one for each item. Silent under CI, as `progress` is.
    """
    from tqdm.auto import tqdm

    return tqdm(items, disable=bool(os.environ.get("CI")))


def devices():
    """Return the names of the devices that Keras computes on, such as ``["gpu:0"]``."""
    import keras

    if keras.backend.backend() == "torch":  # for which Keras has no list of devices
        return [str(keras.ops.zeros(1).device)]
    return keras.distribution.list_devices()


def by_device(cpu, gpu):
    """Return `gpu` where Keras computes on a GPU, otherwise `cpu`.

    For numbers that a GPU lets one choose larger: ``EPOCHS = by_device(cpu=3, gpu=10)``.
    """
    return gpu if devices()[0].startswith(("gpu", "cuda", "mps")) else cpu
