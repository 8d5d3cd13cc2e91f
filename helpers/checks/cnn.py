"""Checks of lab 03: convolution, its sizes and parameters, and a CNN for the digits."""

import numpy as np

from .core import CheckFailed, Lab, NotAttempted, call, describe, to_numpy

lab = Lab("03 Convolution and a CNN on MNIST")
reached = lab.reached
score_card = lab.score_card

TOLERANCE = 1e-4  # Keras computes in float32

# The image and the kernel of Dumoulin & Visin (2016), figure 1.1: small, whole, not symmetric.
IMAGE = np.array(
    [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
)
KERNEL = np.array([[0, 1, 2], [2, 2, 0], [0, 1, 2]])

FLIPPED = (
    "You flipped the kernel. Networks slide it as it is: the top left weight meets the top left "
    "pixel of the window."
)
TRANSPOSED = (
    "Rows and columns of the kernel have changed places. `kernel[a, b]` meets the pixel a rows "
    "down and b columns to the right of the window's corner."
)
AVERAGED = "You averaged over the window. A convolution is the plain sum of the products."
SQUARE = (
    "The output is as wide as it is high. Your loops use one size for both axes: rows come from "
    "`shape[0]`, columns from `shape[1]`."
)
NO_EFFECT = "Padding and stride have no effect on your output."
NO_PADDING = "The padding has no effect on your output."
ONE_SIDE = (
    "Zeros stand on both sides of the image, left and right, above and below: it grows by 2p, not "
    "by p."
)
LAST_MISSING = (
    "The last row and the last column are missing. Zeros stand below and on the right, too: the "
    "image grows by 2p. And the first window counts: + 1."
)
PADDED_RESULT = "You padded the result. The zeros go around the image, *before* the kernel slides."
FULL = "The kernel starts outside the image (the *full* mode). Keep it inside: *valid*."
NOT_VALID = (
    "The kernel stands over more zeros than `padding` says, as in the *full* and in the *same* "
    "mode. Keep it inside the padded image: *valid*."
)
NOT_ANEW = (
    "The second plane also holds the first one. Each filter begins its sum at 0 again: where do "
    "you set it to 0?"
)
STARTED_LATE = "The first window begins at row 0 and column 0; yours begins one step later."
MATRIX_PRODUCT = "`@` and `np.dot` make the matrix product. Multiply number by number: `*`."
WINDOW = (
    "At every position the window must be as large as the kernel: `kh` rows and `kw` columns, "
    "counted from its corner. The last one must still fit inside the image."
)


@lab.check("the output size")
def output_size(answer):
    for i, k, p, s in [
        (5, 3, 0, 1),
        (28, 5, 2, 1),
        (7, 3, 1, 2),
        (6, 3, 0, 2),
        (9, 2, 0, 3),
        (5, 5, 0, 1),
        (227, 11, 0, 4),
        (4, 1, 3, 5),
    ]:
        size = (i - k + 2 * p) / s + 1
        result = call(answer, i, k, p, s)
        _require_scalar(result)
        result.equals(
            int(size),
            wrong=[
                (
                    (i - k + 2 * p + 1) // s,
                    "The + 1 comes after the division: the first window, then one for each stride.",
                ),
                (int(size) - 1, _plus_one(i, k, p, s)),
                (
                    (i - k + p) // s + 1,
                    "The padding stands on both sides of the image: 2p, not p.",
                ),
                (i - k + 2 * p + 1, "The stride is missing: divide by s."),
                (
                    i - k + 2 * p // s + 1,
                    "Only 2p is divided by s: the brackets belong around the whole i - k + 2p.",
                ),
                ((i - k) // s + 1, "The padding is missing: the image grows by p on both sides."),
                (
                    int(np.ceil(size)),
                    "You rounded up. The last window must fit inside the image, so round down "
                    "(`//` does).",
                ),
                (size, "The size is a whole number: round the quotient down (`//` does)."),
            ],
        )
    return "The size agrees for every combination, those that don't divide evenly included."


def _plus_one(i, k, p, s):
    return (
        f"One window is missing. With i = {i}, k = {k}, p = {p}, s = {s} the first window stands "
        "at 0 before the kernel has moved at all: + 1."
    )


def _require_scalar(answer):
    array = to_numpy(answer.value)
    if array is None or array.shape != ():
        raise CheckFailed(
            f"{answer.what} is {describe(answer.value)}; one number is expected, the size along "
            "one axis."
        )


@lab.check("a valid convolution")
def convolve(answer):
    random = np.random.default_rng(0)
    cases = [
        (IMAGE[:4], np.array([[1, 2, 0], [0, 1, 3], [2, 0, 0]])),
        (IMAGE, KERNEL),
        (random.normal(size=(6, 9)), random.normal(size=(3, 3))),
        (random.normal(size=(8, 5)), random.normal(size=(2, 4))),
        (random.integers(0, 20, (4, 7), dtype=np.uint8), random.random(size=(3, 3))),
        (random.normal(size=(3, 4)), random.normal(size=(3, 4))),
        (random.normal(size=(2, 3)), random.normal(size=(1, 1))),
    ]
    for image, kernel in cases:
        right = _keras_conv(image, kernel)
        result = _call_by_windows(answer, image, kernel)
        _explain_shape(result, right, _valid_shapes(image, kernel))
        result.equals(
            right,
            tolerance=TOLERANCE,
            wrong=[
                (_slide(image, kernel[::-1, ::-1]), FLIPPED),
                *_square_mistakes(image, kernel, 1),
                (right / kernel.size, AVERAGED),
                (_slide(image, kernel[::-1]), "The kernel is upside down: its rows are reversed."),
                (_slide(image, kernel[:, ::-1]), "The kernel is mirrored: its columns."),
                (
                    np.full(right.shape, right.flat[0]),
                    "Every output is the same: the window never moves. Its corner is at `[i, j]`.",
                ),
                (
                    _slide(image, np.ones_like(kernel)) * kernel.sum(),
                    "Multiply each pixel by its own weight and add then; you add first.",
                ),
            ],
        )
    return "It agrees with Keras on square and oblong images, and on kernels of every shape."


def _call_by_windows(answer, *arguments):
    """Call a convolution; where it stops because window and kernel don't fit, say what fits."""
    try:
        return call(answer, *arguments)
    except CheckFailed as failure:
        if "operands could not be broadcast together" not in str(failure):
            raise
        raise CheckFailed(f"{failure}\n\n{WINDOW}") from None


def _valid_shapes(image, kernel):
    """Return (shape, message) pairs: the shapes that common mistakes about sizes give."""
    (h, w), (a, b) = image.shape, kernel.shape
    return [
        (
            (h, w),
            "The output is as large as the image. Without padding the window must fit inside, so "
            "fewer positions are left: h - kh + 1 by w - kw + 1.",
        ),
        (
            (h - a, w - b),
            "One row and one column of windows are missing: there are h - kh + 1 positions, "
            "because position 0 counts too.",
        ),
        (
            (h - a + 2, w - b + 2),
            "One row and one column too many: the last window hangs over the edge of the image.",
        ),
        ((w - b + 1, h - a + 1), "The output lies on its side: (rows, columns), in this order."),
        ((h - a + 1, h - a + 1), SQUARE),
        ((w - b + 1, w - b + 1), SQUARE),
        (
            (h - a + 1, w - a + 1),
            "The kernel need not be square: its height and its width have their own sizes.",
        ),
        (
            (h - b + 1, w - b + 1),
            "The kernel need not be square: its height and its width have their own sizes.",
        ),
        ((h + a - 1, w + b - 1), FULL),
        (
            (),
            "One number came back. Collect one for each position of the window, in an array of "
            "h - kh + 1 rows and w - kw + 1 columns.",
        ),
    ]


def _square_mistakes(image, kernel, stride):
    """Yield (value, message) pairs of the mistakes that only a square kernel allows."""
    if kernel.shape[0] == kernel.shape[1]:
        yield _slide(image, kernel.T, stride), TRANSPOSED
        for weights in (kernel.sum(axis=1), kernel.sum(axis=0)[:, None]):  # on either side of `@`
            yield _slide(image, np.broadcast_to(weights, kernel.shape), stride), MATRIX_PRODUCT


@lab.check("padding and stride")
def convolve_strided(answer):
    random = np.random.default_rng(1)
    for shape, kernel_shape, p, s in [
        ((5, 5), (3, 3), 1, 2),
        ((6, 9), (3, 3), 0, 1),
        ((6, 9), (3, 3), 2, 1),
        ((8, 11), (3, 3), 0, 3),
        ((7, 10), (2, 3), 1, 2),
        ((9, 6), (4, 2), 3, 4),
        ((3, 4), (3, 4), 0, 2),
    ]:
        image, kernel = random.normal(size=shape) + 1, random.normal(size=kernel_shape)
        if shape == (5, 5):
            image, kernel = IMAGE, KERNEL
        padded = np.pad(image, p)
        right = _keras_conv(padded, kernel, s)
        mistakes = list(_strided_mistakes(image, kernel, p, s))
        result = _call_by_windows(answer, image, kernel, p, s)
        _explain_shape(result, right, _strided_shapes(image, kernel, p, s), mistakes)
        result.equals(right, tolerance=TOLERANCE, wrong=mistakes)
    return "It agrees with Keras for every padding and stride that was tried."


def _strided_shapes(image, kernel, p, s):
    """Return (shape, message) pairs for the sizes that common mistakes give."""

    def shape(size):
        return tuple(size(i, k) for i, k in zip(image.shape, kernel.shape, strict=True))

    return [
        (shape(lambda i, k: i - k + 1), NO_EFFECT),
        (
            shape(lambda i, k: i - k + 2 * p + 1),
            "The stride has no effect: the window must move s pixels at a time.",
        ),
        (shape(lambda i, k: (i - k) // s + 1), NO_PADDING),
        (shape(lambda i, k: (i - k + p) // s + 1), ONE_SIDE),
        (
            shape(lambda i, k: -((k - i - 2 * p) // s) + 1),
            "The size is rounded up: the last window would hang over the edge. Round down.",
        ),
        (shape(lambda i, k: (i - k + 2 * p) // s), "One row and one column are missing: + 1."),
        (
            shape(lambda i, k: -(-i // s)),
            "This is the size that *same* padding gives. Put as many zeros on each side as "
            "`padding` says.",
        ),
    ]


def _strided_mistakes(image, kernel, p, s):
    """Yield (value, message) pairs."""
    padded = np.pad(image, p)
    rows, columns = _slide(padded, kernel, s).shape
    full = _slide(padded, kernel)
    outside = [(size - 1, size - 1) for size in kernel.shape]
    half_outside = [(size // 2, (size - 1) // 2) for size in kernel.shape]
    thinned = padded[::s, ::s]
    if np.all(np.greater_equal(thinned.shape, kernel.shape)):
        yield (
            _slide(thinned, kernel),
            "You left out pixels of the image. The stride moves the window, and inside a window "
            "every pixel counts.",
        )
    yield from [
        (_slide(np.pad(padded, outside), kernel, s), NOT_VALID),
        (_slide(np.pad(image, outside), kernel, s), NOT_VALID),
        (_slide(np.pad(padded, half_outside), kernel, s), NOT_VALID),
        (np.pad(_slide(image, kernel, s), p), PADDED_RESULT),
        (np.pad(_slide(image, kernel), p)[::s, ::s], PADDED_RESULT),
        (_slide(padded, kernel, s)[:-1, :-1], LAST_MISSING),
        (_slide(image, kernel), NO_EFFECT),
        (_slide(image, kernel, s), NO_PADDING),
        (_slide(np.pad(image, ((p, 0), (p, 0))), kernel, s), ONE_SIDE),
        (_slide(np.pad(image, ((0, p), (0, p))), kernel, s), ONE_SIDE),
        (
            full[:rows, :columns],
            "The output has the right size, but the window moves one pixel at a time. For the "
            "output `[i, j]` its corner is at `[i * s, j * s]`.",
        ),
        (_slide(padded, kernel[::-1, ::-1], s), FLIPPED),
        *_square_mistakes(padded, kernel, s),
        (
            _slide(np.pad(image, ((2 * p, 0), (2 * p, 0))), kernel, s),
            "All zeros stand above and on the left. Put p on each of the four sides.",
        ),
        (
            _slide(np.pad(image, ((0, 2 * p), (0, 2 * p))), kernel, s),
            "All zeros stand below and on the right. Put p on each of the four sides.",
        ),
        (
            _slide(np.pad(image, p, mode="edge"), kernel, s),
            "You repeated the edge of the image. *Zero* padding puts zeros there.",
        ),
        (
            _slide(np.pad(image, p, constant_values=1), kernel, s),
            "You padded with ones. *Zero* padding puts zeros there.",
        ),
        (full[1::s, 1::s][:rows, :columns], STARTED_LATE),
        (full[s - 1 :: s, s - 1 :: s][:rows, :columns], STARTED_LATE),
        (full[::s, :columns], "The stride works on the rows only: the columns need it too."),
        (full[:rows, ::s], "The stride works on the columns only: the rows need it too."),
        (_slide(padded, kernel, s) / kernel.size, AVERAGED),
    ]


NAMES = ("identity", "blur", "sharpen", "vertical edges", "horizontal edges")


@lab.check("what a kernel does")
def recognize(answers, kernels):
    if not isinstance(answers, dict):
        raise CheckFailed(f"Answer with a dictionary; this is {describe(answers)}.")
    given = {letter: answers.get(letter) for letter in kernels}
    if all(name is None or name is Ellipsis for name in given.values()):
        raise NotAttempted("Give each letter one of the names in the list.")
    for letter, name in given.items():
        if name is None or name is Ellipsis:
            raise CheckFailed(f"Kernel {letter} has no name yet.")
        if name not in NAMES:
            raise CheckFailed(
                f"Kernel {letter}: {describe(name)} is not in the list: {', '.join(NAMES)}."
            )
    for letter, kernel in kernels.items():
        right = _character(np.asarray(kernel, dtype=float))
        if given[letter] != right:
            raise CheckFailed(f"Kernel {letter}: {_why_not(given[letter], right)}")
    return "You read a kernel from its numbers: from their sum, their signs and their symmetry."


def _character(kernel):
    """Name what a kernel does, from its answers to a point, to flat gray and to two edges."""
    point = np.pad([[1.0]], kernel.shape[0])
    if np.allclose(_slide(point, kernel), np.pad([[1.0]], kernel.shape[0] // 2 + 1)):
        return "identity"
    if np.isclose(kernel.sum(), 1):
        return "blur" if kernel.min() >= 0 else "sharpen"
    left_right = np.tile(np.arange(9) > 3, (9, 1)).astype(float)
    strength = [np.abs(_slide(step, kernel)).max() for step in (left_right, left_right.T)]
    return "vertical edges" if strength[0] > strength[1] else "horizontal edges"


def _why_not(given, right):
    """Return what speaks against `given`, without naming the right answer."""
    if "edges" in given and "edges" in right:
        return (
            "which neighbors does it subtract from which? A difference between left and right is "
            "large at a *vertical* edge, one between above and below at a *horizontal* edge."
        )
    if "edges" in given:
        return (
            "add its weights. They give 1, so flat gray stays as it is. A kernel that answers only "
            "to edges turns flat gray into 0."
        )
    if "edges" in right:
        return "add its weights. They give 0, so flat gray becomes 0: where is the answer not 0?"
    if given == "identity":
        return "neighbors have weights other than 0, so the image does change."
    if right == "identity":
        return "every neighbor has the weight 0. What is left of the sum?"
    return (
        "are there negative weights? Where all are positive, a pixel becomes more like its "
        "neighbors; where the neighbors are negative, it moves away from them."
    )


@lab.check("channels and filters")
def conv_layer(answer):
    random = np.random.default_rng(2)
    for shape, kernel_shape in [
        ((3, 3, 3), (3, 3, 3, 1)),
        ((5, 7, 3), (3, 3, 3, 4)),
        ((6, 4, 2), (2, 2, 2, 2)),
        ((4, 5, 5), (1, 1, 5, 3)),
        ((4, 6, 1), (3, 3, 1, 2)),
    ]:
        image, kernels = random.normal(size=shape), random.normal(size=kernel_shape)
        bias = random.normal(size=kernel_shape[-1]) + 1
        right = _keras_conv(image, kernels) + bias
        result = call(answer, image, kernels, bias)
        rows, columns, filters = right.shape
        _explain_shape(
            result,
            right,
            [
                (
                    (filters, rows, columns),
                    "The filters are on the first axis. Keras puts the channels last: (oh, ow, "
                    "c_out).",
                ),
                (
                    (rows, columns),
                    "One plane came back. Each filter makes a plane of its own: (oh, ow, c_out).",
                ),
                (
                    (rows, columns, shape[-1]),
                    "You have one plane for each *input* channel. A filter sums over the input "
                    "channels; the number of planes is the number of filters.",
                ),
                (
                    (rows, columns, shape[-1], filters),
                    "The input channels are still there: sum over them.",
                ),
                ((*shape[:2], filters), "The output is as large as the image: no padding here."),
                ((2 * shape[0] - rows, 2 * shape[1] - columns, filters), FULL),
                ((rows, rows, filters), SQUARE),
                ((columns, columns, filters), SQUARE),
                (
                    (columns, rows, filters),
                    "The output lies on its side: rows come first, then columns.",
                ),
            ],
        )
        result.equals(
            right, tolerance=TOLERANCE, wrong=_layer_mistakes(image, kernels, bias, right)
        )
    return "It agrees with Keras for every number of channels and filters that was tried."


def _layer_mistakes(image, kernels, bias, right):
    """Return (value, message) pairs; the values have the right shape."""
    channels = image.shape[-1]
    sums = right - bias
    one_bias = (
        "The bias is added more than once. It comes once for each filter, after the sum over the "
        "window and the channels."
    )
    return [
        (sums, "The bias is missing: add one number for each filter."),
        (sums / channels + bias, "You averaged the channels. Add them up."),
        ((sums + bias) / channels, "You averaged the channels. Add them up."),
        (sums + channels * bias, one_bias),
        (sums + kernels[..., 0].size * bias, one_bias),
        (sums + kernels[..., 0, 0].size * bias, one_bias),
        (sums + bias[0], "Every filter gets the bias of the first one: use `bias[f]`."),
        (sums + bias.sum(), "Each filter has a bias of its own; you add all of them to each."),
        (sums - bias, "You subtract the bias: add it."),
        (_slide_channels(image, kernels[::-1, ::-1]) + bias, FLIPPED),
        (
            _slide_channels(image, np.swapaxes(kernels, 0, 1)) + bias,
            TRANSPOSED.replace("kernel[a, b]", "kernels[a, b]"),
        ),
        (
            _slide_channels(image[..., :1], kernels[:, :, :1]) + bias,
            "Only the first channel counts in your sum: add all of them.",
        ),
        (
            _slide_channels(image[..., -1:], kernels[:, :, -1:]) + bias,
            "Only the last channel counts in your sum: does each one overwrite the one before? "
            "Add them up.",
        ),
        (
            np.repeat(right[..., :1], right.shape[-1], axis=-1),
            "Every plane is the same: the first filter is used for all. Filter f is "
            "`kernels[..., f]`.",
        ),
        *((values, NOT_ANEW) for values in (np.cumsum(sums, -1) + bias, np.cumsum(right, -1))),
        (
            _slide_channels(image, np.repeat(kernels[:, :, :1], channels, axis=2)) + bias,
            "The first plane of the filter meets every channel. Channel c has a plane of its own: "
            "`kernels[:, :, c, f]`.",
        ),
        (
            _slide_channels(image, kernels[:, :, ::-1]) + bias,
            "The channels are in reverse order: red weights must meet the red plane.",
        ),
        (np.maximum(right, 0), "That is a convolution and a ReLU: leave the activation out here."),
    ]


@lab.check("counting parameters")
def count_parameters(conv_parameters, dense_parameters):
    for k, c_in, c_out in [(11, 3, 96), (3, 1, 16), (1, 64, 10), (5, 4, 7)]:
        result = call(conv_parameters, k, c_in, c_out)
        _require_scalar(result)
        weights = k * k * c_in * c_out
        result.equals(
            weights + c_out,
            tolerance=0,
            wrong=[
                (weights, "The biases are missing: one for each filter."),
                (
                    k * k * c_out + c_out,
                    "Every filter has weights for all of its input channels: times c_in.",
                ),
                (k * k * c_out, "Every filter has weights for all input channels: times c_in."),
                (k * c_in * c_out + c_out, "The window is k x k: there are k squared weights."),
                (
                    weights + c_in * c_out,
                    "One bias for each filter is enough, not one for each pair of channels.",
                ),
                (weights + c_in, "The biases belong to the outputs: c_out of them, not c_in."),
                (weights + 1, "Each filter has a bias of its own: c_out of them."),
                (k * k * c_in + c_out, "That is one filter: there are c_out of them."),
                (k * k * c_in + 1, "That is one filter: there are c_out of them."),
            ],
        )
    for inputs, units in [(784, 10), (3, 5), (227 * 227 * 3, 55 * 55 * 96)]:
        result = call(dense_parameters, inputs, units)
        _require_scalar(result)
        result.equals(
            inputs * units + units,
            tolerance=0,
            wrong=[
                (inputs * units, "The biases of the dense layer are missing: one for each unit."),
                (inputs * units + inputs, "The biases belong to the units, not to the inputs."),
                (inputs * units + 1, "Each unit of the dense layer has a bias of its own."),
                (inputs + units, "Each unit is connected with each input: multiply."),
            ],
        )
    return "AlexNet's first layer included: 34,944 shared weights, or 44.9 billion without sharing."


@lab.check("a CNN in Keras")
def cnn(model):
    import keras

    if not isinstance(model, keras.Model):
        raise CheckFailed(f"A Keras model is expected; this is {describe(model)}.")
    if not model.built:
        raise CheckFailed(
            "The model doesn't know the shape of its input yet, so it has no weights. Begin with "
            "`keras.Input((28, 28, 1))`."
        )
    if tuple(model.input_shape) != (None, 28, 28, 1):
        raise CheckFailed(
            f"The input shape is {model.input_shape}. An image is `(28, 28, 1)`: rows, columns and "
            "one channel (the axis of the batch is added by Keras)."
        )
    layers = model.layers
    if any(isinstance(layer, keras.Model) for layer in layers):
        raise CheckFailed(
            "There is a model inside your model. Put the layers themselves into one model: later "
            "cells look at them one by one."
        )
    try:
        inputs = _inputs_of_layers(model)
        _check_convolutions(inputs)
        _check_around_convolutions(inputs)
    except (CheckFailed, ValueError):
        for part in getattr(model, "operations", ()):
            if not isinstance(part, keras.Layer):
                raise CheckFailed(
                    f"`{type(part).__name__}` in the model is no layer but a function. Use the "
                    "layers of the list alone: this check and later cells look at them one by one."
                ) from None
        raise
    if tuple(model.output_shape) != (None, 10):
        raise CheckFailed(
            f"The output shape is {model.output_shape}; expected: (None, 10), a row of ten "
            "numbers for each image. Flatten the feature maps before the last, dense layer."
        )
    _check_probabilities(model)
    return f"{model.count_params():,} parameters, ten probabilities for each image."


RECIPE = [("first", 16, 5, 28), ("second", 32, 5, 14), ("third", 64, 3, 7)]


def _inputs_of_layers(model):
    """Return (layer, what comes in) for each layer, for a white image; last (None, output)."""
    import keras

    x = np.full((1, 28, 28, 1), 255.0, dtype="float32")
    inputs = []
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            inputs.append((layer, to_numpy(x)))
            x = layer(x)
    return [*inputs, (None, to_numpy(x))]


def _check_convolutions(inputs):
    """Fail unless filters, kernels, padding and the maps that come in are those of the table."""
    import keras

    convolutions = [pair for pair in inputs if isinstance(pair[0], keras.layers.Conv2D)]
    if not convolutions:
        raise CheckFailed("There is no `keras.layers.Conv2D` in the model: what are its layers?")
    if len(convolutions) != 3:
        raise CheckFailed(f"The model has {len(convolutions)} convolutions; the list asks for 3.")
    for (layer, x), (place, filters, kernel, side) in zip(convolutions, RECIPE, strict=True):
        if layer.filters != filters:
            raise CheckFailed(
                f"The {place} convolution has {layer.filters} filters; the table says {filters}."
            )
        if tuple(layer.kernel_size) != (kernel, kernel):
            raise CheckFailed(
                f"The {place} convolution has a kernel of the size {layer.kernel_size}; the table "
                f"says {kernel} x {kernel}."
            )
        if layer.padding != "same":
            raise CheckFailed(
                f'The {place} convolution has padding "{layer.padding}", so its maps are smaller '
                'than what comes in. Use `padding="same"`.'
            )
        if tuple(layer.strides) != (1, 1):
            raise CheckFailed(
                f"The {place} convolution has the stride {layer.strides}; the list asks for 1. "
                "Only the pooling makes the maps smaller."
            )
        height = x.shape[1]
        if height != side:
            raise CheckFailed(
                f"Maps of {height} x {height} reach the {place} convolution; expected: {side} x "
                f"{side}. Pool after the first and after the second convolution, nowhere else."
            )


def _check_around_convolutions(inputs):
    """Fail unless rescaling, normalization, activations and dropout are where they belong."""
    import keras

    layers = [layer for layer, _ in inputs]

    def are(kind):
        return [place for place, layer in enumerate(layers) if isinstance(layer, kind)]

    largest = float(np.max(inputs[are(keras.layers.Conv2D)[0]][1]))
    if not 0.5 <= largest <= 2:
        raise CheckFailed(
            f"A white pixel, 255, reaches the first convolution as {largest:g}. It should come as "
            "1: begin with `keras.layers.Rescaling(1 / 255)`."
        )
    norms = [layers[place] for place in are(keras.layers.BatchNormalization)]
    if len(norms) < 3:
        raise CheckFailed(
            f"There are {len(norms)} batch normalizations; put one after each convolution."
        )
    if max(layer.momentum for layer in norms) > 0.95:
        raise CheckFailed(
            "A batch normalization has the default momentum. Our training is too short for it: "
            "`BatchNormalization(momentum=0.9)`."
        )
    rectified = [
        layer
        for layer in layers
        if isinstance(layer, keras.layers.ReLU)
        or getattr(layer, "activation", None) is keras.activations.relu
    ]
    if len(rectified) < 3:
        raise CheckFailed(
            f"There are {len(rectified)} ReLUs; put one after each batch normalization. Without "
            "activations many layers can do no more than one."
        )
    if len(are(keras.layers.MaxPooling2D)) < 2:
        raise CheckFailed(
            "The list asks for a `MaxPooling2D(2)` after the first and after the second "
            "convolution; another layer makes the maps smaller."
        )
    sides = [x.shape[1] for _, x in inputs if x.ndim == 4]
    if sides[-1] != 7:
        raise CheckFailed(
            f"The last maps are {sides[-1]} x {sides[-1]}, not 7 x 7: no pooling after the third "
            "convolution."
        )
    dropouts = are(keras.layers.Dropout)
    dense = (are(keras.layers.Dense) or [len(layers)])[-1]
    if not dropouts:
        raise CheckFailed("There is no `Dropout`: put it between `Flatten` and the dense layer.")
    if dropouts[-1] > dense:
        raise CheckFailed(
            "The dropout stands after the dense layer, so it hides answers. Put it before."
        )
    if dense < len(layers) and inputs[dense][1].size != 7 * 7 * 64:
        raise CheckFailed(
            f"{inputs[dense][1].size} numbers reach the last dense layer; expected: 7 x 7 x 64 = "
            "3136, all that the third convolution gives."
        )


def _check_probabilities(model):
    """Fail unless the outputs are probabilities and depend on the image in a nonlinear way."""
    images = np.random.default_rng(3).integers(0, 256, (3, 28, 28, 1)).astype("float32")
    images[2] = (images[0] + images[1]) / 2
    outputs = to_numpy(model(images, training=False)).astype(float)
    if not np.all(np.isfinite(outputs)):
        raise CheckFailed("The outputs are not finite numbers: build the model anew.")
    if outputs.min() < 0 or not np.allclose(outputs.sum(-1), 1, atol=1e-3):
        raise CheckFailed(
            "The ten outputs don't add up to 1, so they are no probabilities. The activation of "
            "the last layer should be `softmax`."
        )
    if outputs.min() < 1e-30:
        return  # a trained model can be too sure for the logarithm below
    scores = np.log(outputs) - np.log(outputs).mean(-1, keepdims=True)
    bend = np.abs(scores[2] - scores[:2].mean(0)).max()
    if bend < 1e-4 * max(np.abs(scores[0] - scores[1]).max(), 1e-3):
        raise CheckFailed(
            "Without activations the model is linear: the scores of the mean of two images are "
            "the mean of their scores. Put a ReLU after each batch normalization."
        )


WORDS = ("same", "worse")
SAME = 0.02  # accuracies closer than this count as the same: chance alone moves them by as much


@lab.check("what shuffled pixels change")
def shuffle(prediction, measured):
    """Compare a prediction with accuracies, ``{"MLP": (plain, shuffled), ...}``."""
    if not isinstance(prediction, dict):
        raise CheckFailed(f"Answer with a dictionary; this is {describe(prediction)}.")
    given = {name: prediction.get(name) for name in measured}
    if all(word is None or word is Ellipsis for word in given.values()):
        raise NotAttempted("Give each network one of the words `same` and `worse`.")
    for name, word in given.items():
        if word not in WORDS:
            raise CheckFailed(f"{name}: answer `same` or `worse`; this is {describe(word)}.")
    for name, (plain, shuffled) in measured.items():
        lost = float(plain) - float(shuffled)
        right = "worse" if lost > SAME else "same"
        if given[name] != right:
            raise CheckFailed(
                f"You predicted `{given[name]}` for the {name}; it was measured as `{right}` "
                f"({100 * lost:.1f} percentage points lost). {_SHUFFLED[name]}"
            )
    return "The measurement agrees with you, for both networks."


_SHUFFLED = {
    "MLP": "Does a dense layer know which pixels are neighbors? Each pixel has its own weight, "
    "wherever it stands.",
    "CNN": "What does a small window see, when the pixels in it come from all over the image?",
}


def _explain_shape(answer, right, hints, mistakes=()):
    """Fail with the message of the first (shape, message) that fits a result of a wrong shape.

    A result that is one of the `mistakes`, (value, message) pairs, is left for those to explain.
    """
    array = to_numpy(answer.value)
    if array is None or array.shape == right.shape:
        return
    if any(array.shape == value.shape and np.allclose(array, value) for value, _ in mistakes):
        return
    for shape, message in hints:
        if array.shape == shape:
            raise CheckFailed(
                f"{message}\n\n{answer.what} has the shape {array.shape}; expected: {right.shape}."
            )


def _keras_conv(image, kernels, stride=1):
    """Return what Keras makes of an image without padding: the answer to compare with.

    (h, w) and (kh, kw) give (oh, ow); (h, w, c_in) and (kh, kw, c_in, c_out) give (oh, ow, c_out).
    """
    from keras import ops

    flat = image.ndim == 2
    if flat:
        image, kernels = image[..., None], kernels[..., None, None]
    result = ops.conv(
        image[None].astype("float32"),
        kernels.astype("float32"),
        strides=stride,
        padding="valid",
        data_format="channels_last",
    )
    result = ops.convert_to_numpy(result)[0]
    return result[..., 0] if flat else result


def _slide(image, kernel, stride=1):
    """Return the valid cross-correlation of (h, w) with (kh, kw): what a mistake would give."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijab,ab->ij", windows[::stride, ::stride], kernel)


def _slide_channels(image, kernels):
    """Return the same of (h, w, c_in) with (kh, kw, c_in, c_out), (oh, ow, c_out)."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernels.shape[:2], axis=(0, 1))
    return np.einsum("ijcab,abcf->ijf", windows, kernels)
