"""Networks that were trained before, for photos of animals: the backbones of labs 05 and 06."""

import warnings

from helpers.data import DataError, Source, backbone_weights
from helpers.data.sources import damaged_offline

ALPHA = 0.35  # the narrowest MobileNetV2 that has weights
# Filters of the convolutions of `animal_backbone`, by the stride of their maps.
WIDTHS = {2: (16,), 4: (32, 32), 8: (64, 64), 16: (96, 96), 32: (128,)}


def pretrained(size: int, photos: Source):
    """Return `(model, source)`: the trained network that goes with `photos`, without its head.

    `size` is the side of the photos in pixels, a multiple of 32; `photos` is their source, as their
    loader returns it. Real photos get MobileNetV2 (alpha 0.35, trained on ImageNet), offline photos
    the network that was trained on animals of the same making (`animal_backbone`).

    The model takes photos (n, size, size, 3) with values 0 to 255, scales them itself, and returns
    the feature maps of its last layer, (n, size/32, size/32, channels): 1280 channels from
    MobileNetV2, 128 from the other. Its layers lie side by side, so that
    `model.get_layer(name).output` is a map within it, as `skips` names them. Nothing is frozen.
    Raises `DataError` when the weights can't be had or can't be loaded.
    """
    path, source = backbone_weights(photos)
    model = _mobilenet(size) if source.real else animal_backbone((size, size, 3))
    try:
        with warnings.catch_warnings():
            # Keras only warns where a file lacks a layer, and leaves it as it was: untrained.
            warnings.filterwarnings("error", message="Skipping", category=UserWarning)
            model.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, UserWarning) as error:
        reason = str(error).strip().partition("\n")[0]
        fault = DataError(f"{path} holds no weights of this network ({reason})")
        if not source.real:
            raise damaged_offline(fault) from error
        raise DataError(f"{fault}. Delete it, or set COURSE_DATA=offline") from error
    return model, source


def skips(model) -> list[str]:
    """Return the names of the layers for the skips of a U-Net, from the finest map to the coarsest.

    They are the last layers before each halving, the output's own size left out:

    ======  ====================  ========  ==============  ========
    stride  MobileNetV2           channels  animal network  channels
    ======  ====================  ========  ==============  ========
         2  block_1_expand_relu         48  stride_2              16
         4  block_3_expand_relu         48  stride_4              32
         8  block_6_expand_relu         96  stride_8              64
        16  block_13_expand_relu       192  stride_16             96
    ======  ====================  ========  ==============  ========
    """
    import keras

    last = {}  # by the side of the map; padding before a halving makes odd ones that don't count
    for layer in model.layers:
        shape = layer.output.shape
        if len(shape) == 4 and not isinstance(layer, keras.layers.ZeroPadding2D):
            last[shape[1]] = layer.name
    sides = sorted(last, reverse=True)
    return [last[side] for side in sides if model.output_shape[1] < side < model.input_shape[1]]


def _mobilenet(size: int):
    import keras

    inputs = keras.Input((size, size, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(inputs)
    layers = keras.applications.MobileNetV2(
        input_shape=(size, size, 3),
        alpha=ALPHA,
        include_top=False,
        weights=None,
        input_tensor=scaled,
    )
    # Keras makes a model of a list of one input, and warns when it is called with an array.
    return keras.Model(inputs, layers.output, name="mobilenet_v2")


def animal_backbone(input_shape=(96, 96, 3), weights=None):
    """Return the network without its head, with random weights or those in the file `weights`.

    It takes images (n, height, width, 3) with values 0 to 255, which it scales itself, and returns
    feature maps (n, height/32, width/32, 128): average them for a classifier. Height and width are
    multiples of 32; the weights belong to 96. The last layer of each size, for skips of a U-Net:

    =============  ========  ===========
    layer          channels  side at 96
    =============  ========  ===========
    ``stride_2``         16           48
    ``stride_4``         32           24
    ``stride_8``         64           12
    ``stride_16``        96            6
    ``stride_32``       128   3 (output)
    =============  ========  ===========

    All convolutions are 3x3, the first of each size halves; each is followed by batch
    normalization and ReLU. 319,440 parameters to train.
    """
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(inputs)
    for stride, widths in WIDTHS.items():
        for n, filters in enumerate(widths):
            last = n == len(widths) - 1
            name = f"stride_{stride}" + ("" if last else "_first")
            x = keras.layers.Conv2D(
                filters,
                3,
                strides=1 if n else 2,
                padding="same",
                use_bias=False,
                name=f"{name}_convolution",
            )(x)
            # Momentum .9: the averages settle within the few hundred steps that a lab has.
            x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_normalization")(x)
            x = keras.layers.ReLU(name=name)(x)
    model = keras.Model(inputs, x, name="animal_backbone")
    if weights is not None:
        model.load_weights(weights)
    return model
