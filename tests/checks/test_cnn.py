"""The checks of lab 03 against right, blank and wrong answers."""

import keras
import numpy as np
import pytest
from failing import at_once, blank, fails, three_tests
from scipy import ndimage, signal

from helpers.checks import cnn as check
from helpers.checks.core import NotAttempted

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
KERNELS = {
    "A": np.ones((3, 3)) / 9,
    "B": SOBEL.T,
    "C": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "D": SOBEL,
    "E": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
}
NAMED = {
    "A": "blur",
    "B": "horizontal edges",
    "C": "identity",
    "D": "vertical edges",
    "E": "sharpen",
}
MEASURED = {"MLP": (0.93, 0.931), "CNN": (0.98, 0.92)}


def size_by_counting(i, k, p, s):
    count, corner = 0, 0
    while corner + k <= i + 2 * p:
        count, corner = count + 1, corner + s
    return count


def by_scipy(image, kernel):
    return signal.correlate2d(image, kernel, mode="valid")


def by_loops(image, kernel):
    rows = image.shape[0] - kernel.shape[0] + 1
    columns = image.shape[1] - kernel.shape[1] + 1
    out = []
    for i in range(rows):
        out.append([])
        for j in range(columns):
            total = 0.0
            for a in range(kernel.shape[0]):
                for b in range(kernel.shape[1]):
                    total += float(image[i + a, j + b]) * float(kernel[a, b])
            out[-1].append(total)
    return out


def by_ndimage(image, kernel):
    full = ndimage.correlate(np.float32(image), np.float32(kernel), mode="constant")
    rows, columns = np.array(kernel.shape) // 2
    h, w = np.array(image.shape) - kernel.shape + 1
    return full[rows : rows + h, columns : columns + w]


def by_tensor(image, kernel):
    from keras import ops

    image, kernel = np.float32(image)[None, ..., None], np.float32(kernel)[..., None, None]
    return ops.conv(image, kernel, data_format="channels_last")[0, ..., 0]


def whole_numbers(image, kernel):
    out = np.zeros_like(image[: image.shape[0] - kernel.shape[0] + 1])
    out = out[:, : image.shape[1] - kernel.shape[1] + 1]
    out[...] = by_scipy(image, kernel)
    return out


def one_size_for_both(image, kernel):
    size = image.shape[0] - kernel.shape[0] + 1
    out = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            out[i, j] = np.sum(window * kernel)
    return out


def square_kernel(image, kernel):
    k = kernel.shape[0]
    out = np.zeros((image.shape[0] - k + 1, image.shape[1] - k + 1))
    for i, j in np.ndindex(out.shape):
        window = image[i : i + k, j : j + k]
        a, b = np.minimum(window.shape, kernel.shape)
        out[i, j] = np.sum(window[:a, :b] * kernel[:a, :b])
    return out


def never_moves(image, kernel):
    out = np.zeros_like(by_scipy(image, kernel), dtype=float)
    out[...] = np.sum(image[: kernel.shape[0], : kernel.shape[1]] * kernel)
    return out


def strided_by_scipy(image, kernel, padding, stride):
    return by_scipy(np.pad(image, padding), kernel)[::stride, ::stride]


def strided_by_loops(image, kernel, p, s):
    (h, w), (a, b) = image.shape, kernel.shape
    padded = np.zeros((h + 2 * p, w + 2 * p))
    padded[p : p + h, p : p + w] = image
    return [
        [np.sum(padded[i : i + a, j : j + b] * kernel) for j in range(0, w + 2 * p - b + 1, s)]
        for i in range(0, h + 2 * p - a + 1, s)
    ]


def strided_by_tensor(image, kernel, padding, stride):
    from keras import ops

    image = np.pad(np.float32(image), padding)[None, ..., None]
    kernel = np.float32(kernel)[..., None, None]
    return ops.conv(image, kernel, strides=stride, data_format="channels_last")[0, ..., 0]


def by_windows(image, kernel, *, end=lambda corner, size: corner + size, combine=np.multiply):
    """A right answer to the second exercise whose parts can be replaced by wrong ones."""
    (h, w), (a, b) = image.shape, kernel.shape
    out = np.zeros((h - a + 1, w - b + 1))
    for i, j in np.ndindex(out.shape):
        out[i, j] = np.sum(combine(image[i : end(i, a), j : end(j, b)], kernel))
    return out


def windows_with(**wrong):
    return lambda image, kernel: by_windows(image, kernel, **wrong)


def over_the_edge(image, kernel):
    a, b = kernel.shape
    return [np.sum(image[i : i + a, j : j + b] * kernel) for i, j in np.ndindex(image.shape)]


def strided_by_wrong_windows(image, kernel, p, s):
    padded, (a, b) = np.pad(image, p), kernel.shape
    rows, columns = strided_by_scipy(image, kernel, p, s).shape
    return [
        [np.sum(padded[i * s : i + a, j * s : j + b] * kernel) for j in range(columns)]
        for i in range(rows)
    ]


def padded_with(**options):
    def answer(image, kernel, padding, stride):
        return by_scipy(np.pad(image, padding, **options), kernel)[::stride, ::stride]

    return answer


def padded_on(width):
    def answer(image, kernel, padding, stride):
        return by_scipy(np.pad(image, width(padding)), kernel)[::stride, ::stride]

    return answer


def step_of_one(image, kernel, padding, stride):
    rows, columns = strided_by_scipy(image, kernel, padding, stride).shape
    return by_scipy(np.pad(image, padding), kernel)[:rows, :columns]


def rounded_up(image, kernel, padding, stride):
    padded = np.pad(image, ((padding, padding + stride - 1),) * 2)
    return by_scipy(padded, kernel)[::stride, ::stride]


def one_missing(image, kernel, padding, stride):
    return strided_by_scipy(image, kernel, padding, stride)[:-1, :-1]


def strided_in_mode(mode):
    def answer(image, kernel, padding, stride):
        return signal.correlate2d(np.pad(image, padding), kernel, mode)[::stride, ::stride]

    return answer


def padded_twice(image, kernel, p, s):
    """The size counts the padding of an image that is already padded."""
    padded, (a, b) = np.pad(image, p), kernel.shape
    rows, columns = ((np.array(padded.shape) - kernel.shape + 2 * p) // s + 1).tolist()
    out = np.zeros((rows, columns))
    for i, j in np.ndindex(out.shape):
        window = padded[i * s : i * s + a, j * s : j * s + b]
        out[i, j] = np.sum(window * kernel[: window.shape[0], : window.shape[1]])
    return out


def padded_result(image, kernel, padding, stride):
    return np.pad(by_scipy(image, kernel)[::stride, ::stride], padding)


def layer_by_einsum(image, kernels, bias):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernels.shape[:2], axis=(0, 1))
    return np.tensordot(windows, kernels, ([3, 4, 2], [0, 1, 2])) + bias


def layer_by_loops(image, kernels, bias, *, plane=by_scipy, combine=sum, axis=-1, biases=1):
    """A right answer whose parts can be replaced by wrong ones."""
    planes = []
    for f in range(kernels.shape[-1]):
        parts = [plane(image[..., c], kernels[..., c, f]) for c in range(image.shape[-1])]
        planes.append(combine(parts) + biases * bias[f])
    return np.stack(planes, axis=axis)


def layer_by_keras(image, kernels, bias):
    layer = keras.layers.Conv2D(kernels.shape[-1], kernels.shape[:2])
    layer.build((None, *image.shape))
    layer.set_weights([kernels, bias])
    return layer(image[None].astype("float32"))[0]


def layer_with(**wrong):
    return lambda image, kernels, bias: layer_by_loops(image, kernels, bias, **wrong)


def flipped(image, kernel):
    return signal.convolve2d(image, kernel, mode="valid")


RIGHT = {
    check.output_size: [
        size_by_counting,
        lambda i, k, p, s: int(np.floor((i - k + 2 * p) / s)) + 1,
        lambda i, k, p, s: (i + 2 * p - k + s) // s,
        lambda i, k, p, s: np.float64((i - k + 2 * p) // s + 1),
    ],
    check.convolve: [by_scipy, by_loops, by_ndimage, by_tensor, by_windows],
    check.convolve_strided: [strided_by_scipy, strided_by_loops, strided_by_tensor],
    check.conv_layer: [layer_by_einsum, layer_by_loops, layer_by_keras],
}

WRONG = [
    (check.output_size, lambda i, k, p, s: (i - k + 2 * p) // s, "One window is missing"),
    (check.output_size, lambda i, k, p, s: (i - k + p) // s + 1, "2p, not p"),
    (check.output_size, lambda i, k, p, s: i - k + 2 * p + 1, "stride is missing"),
    (check.output_size, lambda i, k, p, s: (i - k) // s + 1, "padding is missing"),
    (check.output_size, lambda i, k, p, s: -((k - i - 2 * p) // s) + 1, "rounded up"),
    (check.output_size, lambda i, k, p, s: round((i - k + 2 * p) / s + 1), "rounded up"),
    (check.output_size, lambda i, k, p, s: (i - k + 2 * p) / s + 1, "whole number"),
    (check.output_size, lambda i, k, p, s: i - k + 2 * p // s + 1, "Only 2p is divided"),
    (check.output_size, lambda i, k, p, s: int(i - k + 2 * p / s + 1), "Only 2p is divided"),
    (check.output_size, lambda i, k, p, s: (i - k + 2 * p + 1) // s, "after the division"),
    (check.output_size, lambda i, k, p, s: (3, 3), "one number is expected"),
    (check.convolve, flipped, "flipped the kernel"),
    (check.convolve, lambda x, k: by_scipy(x, k.T), "changed places"),
    (check.convolve, lambda x, k: by_scipy(x, k[::-1]), "upside down"),
    (check.convolve, lambda x, k: by_scipy(x, k[:, ::-1]), "mirrored"),
    (check.convolve, lambda x, k: by_scipy(x, k) / k.size, "averaged over the window"),
    (check.convolve, lambda x, k: signal.correlate2d(x, k, "same"), "as large as the image"),
    (check.convolve, lambda x, k: signal.correlate2d(x, k, "full"), "starts outside"),
    (check.convolve, lambda x, k: by_scipy(x, k)[:-1, :-1], "position 0 counts"),
    (check.convolve, lambda x, k: np.pad(by_scipy(x, k), (0, 1)), "hangs over the edge"),
    (check.convolve, lambda x, k: by_scipy(x, k).T, "lies on its side"),
    (check.convolve, lambda x, k: np.sum(by_scipy(x, k)), "One number came back"),
    (check.convolve, one_size_for_both, "one size for both axes"),
    (check.convolve, square_kernel, "need not be square"),
    (check.convolve, whole_numbers, "fractions were cut off"),
    (check.convolve, never_moves, "never moves"),
    (check.convolve, lambda x, k: by_scipy(x, np.ones_like(k)) * k.sum(), "own weight"),
    (check.convolve, windows_with(combine=np.matmul), "the matrix product"),
    (check.convolve, windows_with(combine=lambda x, k: k @ x), "the matrix product"),
    (check.convolve, windows_with(end=lambda corner, size: size), "as large as the kernel"),
    (check.convolve, windows_with(end=lambda corner, size: corner + 3), "as large as the kernel"),
    (check.convolve, over_the_edge, "must still fit inside the image"),
    (check.convolve, lambda x, k: x @ k, "stopped with an error"),
    (check.convolve, lambda x, k: by_scipy(x, k) * np.nan, "NaN"),
    (check.convolve, "correlate2d", "A function is expected"),
    (check.convolve_strided, step_of_one, "moves one pixel at a time"),
    (check.convolve_strided, lambda x, k, p, s: by_scipy(np.pad(x, p), k), "stride has no effect"),
    (check.convolve_strided, lambda x, k, p, s: by_scipy(x, k)[::s, ::s], "padding has no effect"),
    (check.convolve_strided, lambda x, k, p, s: by_scipy(x, k), "Padding and stride have no"),
    (check.convolve_strided, padded_on(lambda p: ((p, 0), (p, 0))), "grows by 2p. And the first"),
    (check.convolve_strided, one_missing, "grows by 2p. And the first"),
    (check.convolve_strided, padded_on(lambda p: ((0, p), (0, p))), "padding has no effect"),
    (check.convolve_strided, strided_in_mode("full"), "over more zeros than"),
    (check.convolve_strided, strided_in_mode("same"), "over more zeros than"),
    (
        check.convolve_strided,
        lambda x, k, p, s: signal.correlate2d(x, k, "full")[::s, ::s],
        "over more zeros than",
    ),
    (
        check.convolve_strided,
        lambda x, k, p, s: by_scipy(np.pad(x, p)[::s, ::s], k),
        "left out pixels",
    ),
    (check.convolve_strided, padded_twice, "has the shape (4, 4); expected"),
    (check.convolve_strided, padded_on(lambda p: ((2 * p, 0), (2 * p, 0))), "above and on the le"),
    (check.convolve_strided, padded_on(lambda p: ((0, 2 * p), (0, 2 * p))), "below and on the ri"),
    (check.convolve_strided, padded_with(mode="edge"), "repeated the edge"),
    (check.convolve_strided, padded_with(constant_values=1), "padded with ones"),
    (check.convolve_strided, rounded_up, "rounded up"),
    (check.convolve_strided, padded_result, "padded the result"),
    (
        check.convolve_strided,
        lambda x, k, p, s: np.pad(by_scipy(x, k), p)[::s, ::s],
        "padded the result",
    ),
    (
        check.convolve_strided,
        lambda x, k, p, s: signal.correlate2d(x, k, "same")[::s, ::s],
        "over more zeros than",
    ),
    (check.convolve_strided, strided_by_wrong_windows, "as large as the kernel"),
    (
        check.convolve_strided,
        lambda x, k, p, s: flipped(np.pad(x, p), k)[::s, ::s],
        "flipped the kernel",
    ),
    (
        check.convolve_strided,
        lambda x, k, p, s: strided_by_scipy(x, k.T, p, s),
        "changed places",
    ),
    (check.conv_layer, layer_with(plane=flipped), "flipped the kernel"),
    (check.conv_layer, layer_with(plane=lambda x, k: by_scipy(x, k.T)), "changed places"),
    (check.conv_layer, layer_with(combine=lambda parts: np.mean(parts, axis=0)), "averaged"),
    (check.conv_layer, layer_with(combine=lambda parts: parts[0]), "Only the first channel"),
    (check.conv_layer, layer_with(combine=lambda parts: parts[-1]), "Only the last channel"),
    (check.conv_layer, layer_with(plane=signal.correlate2d), "the *full* mode"),
    (check.conv_layer, lambda x, k, b: np.cumsum(layer_by_loops(x, k, b), -1), "at 0 again"),
    (check.conv_layer, lambda x, k, b: layer_by_loops(x, k.cumsum(-1), b), "at 0 again"),
    (
        check.conv_layer,
        lambda x, k, b: layer_by_loops(x, np.broadcast_to(k[:, :, :1], k.shape), b),
        "a plane of its own: `kernels",
    ),
    (check.conv_layer, layer_with(axis=0), "filters are on the first axis"),
    (check.conv_layer, layer_with(biases=0), "bias is missing"),
    (check.conv_layer, lambda x, k, b: layer_by_loops(x, k, b * x.shape[-1]), "more than once"),
    (check.conv_layer, lambda x, k, b: layer_by_loops(x, k, b * 0 + b[0]), "bias of the first"),
    (check.conv_layer, lambda x, k, b: layer_by_loops(x, k, b * 0 + b.sum()), "add all of them"),
    (check.conv_layer, lambda x, k, b: layer_by_loops(x, k[:, :, ::-1], b), "reverse order"),
    (check.conv_layer, lambda x, k, b: layer_by_loops(x, k, b)[..., 0], "One plane came back"),
    (check.conv_layer, lambda x, k, b: np.maximum(layer_by_loops(x, k, b), 0), "ReLU"),
    (
        check.conv_layer,
        lambda x, k, b: layer_by_loops(x, k, b).swapaxes(0, 1),
        "lies on its side",
    ),
    (
        check.conv_layer,
        lambda x, k, b: np.stack(
            [sum(by_scipy(x[..., c], k[..., c, f]) for f in range(k.shape[3])) for c in range(3)],
            axis=-1,
        ),
        "one plane for each *input*",
    ),
]

COUNTS_WRONG = [
    (lambda k, c, f: k * k * c * f, "biases are missing"),
    (lambda k, c, f: k * k * f + f, "times c_in"),
    (lambda k, c, f: k * c * f + f, "k squared"),
    (lambda k, c, f: k * k * c * f + c * f, "One bias for each filter is enough"),
    (lambda k, c, f: k * k * c * f + c, "belong to the outputs"),
    (lambda k, c, f: k * k * c + 1, "one filter"),
]
DENSE_WRONG = [
    (lambda n, m: n * m, "biases of the dense layer are missing"),
    (lambda n, m: n * m + n, "not to the inputs"),
    (lambda n, m: n * m + 1, "Each unit of the dense layer has a bias"),
    (lambda n, m: n + m, "multiply"),
]


def conv_parameters(k, c_in, c_out):
    return c_out * (k**2 * c_in + 1)


def dense_parameters(inputs, units):
    return (inputs + 1) * units


def network(
    *,
    shape=(28, 28, 1),
    scale=1 / 255,
    filters=(16, 32, 64),
    kernels=(5, 5, 3),
    padding="same",
    stride=1,
    pools=(1, 1, 0),
    pooling="MaxPooling2D",
    momentum=0.9,
    norm=True,
    relu=True,
    flat="Flatten",
    hidden=(),
    dropout="before",
    last="softmax",
):
    """A right answer to the exercise whose parts can be replaced by wrong ones."""
    from keras import layers

    stack = [keras.Input(shape), layers.Rescaling(scale)]
    for count, size, pool in zip(filters, kernels, pools, strict=True):
        stack.append(layers.Conv2D(count, size, stride, padding))
        stack += [layers.BatchNormalization(momentum=momentum)] if norm else []
        stack += [layers.ReLU()] if relu else []
        stack += [getattr(layers, pooling)(2)] * pool
    stack.append(getattr(layers, flat)())
    stack += [layers.Dropout(0.1)] if dropout == "before" else []
    stack += [layers.Dense(units, activation="relu") for units in hidden]
    stack.append(layers.Dense(10, activation=last))
    stack += [layers.Dropout(0.1)] if dropout == "after" else []
    return keras.Sequential(stack)


def functional(**functions):
    """A right answer in which functions can take the place of layers."""
    from keras import layers

    parts = {
        "scale": layers.Rescaling(1 / 255),
        "pool": lambda x: layers.MaxPooling2D(2)(x),
        "relu": lambda x: layers.Activation("relu")(x),
        "softmax": layers.Softmax(),
        **functions,
    }
    image = keras.Input((28, 28, 1))
    x = parts["scale"](image)
    for count, size in [(16, 5), (32, 5), (64, 3)]:
        x = layers.Conv2D(count, size, padding="same", use_bias=False)(x)
        x = parts["relu"](layers.BatchNormalization(momentum=0.9)(x))
        x = parts["pool"](x) if count < 64 else x
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(image, parts["softmax"](layers.Dense(10)(x)))


def built_without_input():
    model = keras.Sequential(network().layers)
    model.build((None, 28, 28, 1))
    return model


def not_built():
    return keras.Sequential([keras.layers.Conv2D(16, 3), keras.layers.Dense(10)])


def without_flatten():
    layers = [layer for layer in network().layers if not isinstance(layer, keras.layers.Flatten)]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers[:-1], keras.layers.Dense(10)])


def nested():
    return keras.Sequential([keras.Input((28, 28, 1)), network()])


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG, also_blank=[check.cnn])


def test_the_other_blanks_are_not_attempted():
    for test, arguments in [
        (check.count_parameters, (blank, blank)),
        (check.count_parameters, (conv_parameters, blank)),
        (check.recognize, (dict.fromkeys("ABCDE"), KERNELS)),
        (check.shuffle, ({"MLP": None, "CNN": None}, MEASURED)),
        (check.shuffle, (None, MEASURED)),
    ]:
        fails(test, *arguments, match=None, kind=NotAttempted)


def test_counting():
    check.count_parameters(conv_parameters, dense_parameters)
    check.count_parameters(
        lambda k, c_in, c_out: k * k * c_in * c_out + c_out,
        lambda inputs, units: np.int64(inputs * units + units),
    )
    for wrong, phrase in COUNTS_WRONG:
        fails(check.count_parameters, wrong, dense_parameters, match=phrase)
    for wrong, phrase in DENSE_WRONG:
        fails(check.count_parameters, conv_parameters, wrong, match=phrase)


def test_recognizing():
    check.recognize(NAMED, KERNELS)
    check.recognize({**NAMED, "F": "an extra one"}, KERNELS)
    emboss = {"A": -KERNELS["D"], "B": -KERNELS["B"]}
    check.recognize({"A": "vertical edges", "B": "horizontal edges"}, emboss)


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"B": "vertical edges", "D": "horizontal edges"}, "left and right"),
        ({"E": "vertical edges"}, "They give 1"),
        ({"D": "sharpen"}, "They give 0"),
        ({"A": "sharpen"}, "negative weights"),
        ({"A": "identity"}, "the image does change"),
        ({"C": "blur"}, "What is left"),
        ({"A": "smooth"}, "not in the list"),
        ({"A": 3}, "not in the list"),
        ({"A": None}, "no name yet"),
    ],
)
def test_misread_kernels(changes, phrase):
    fails(check.recognize, {**NAMED, **changes}, KERNELS, match=phrase)


def test_answers_that_are_no_dictionary():
    fails(check.recognize, ["blur"], KERNELS, match="dictionary")
    fails(check.shuffle, "worse", MEASURED, match="dictionary")


def test_shuffle_compares_the_prediction_with_the_measurement():
    check.shuffle({"MLP": "same", "CNN": "worse"}, MEASURED)
    check.shuffle({"MLP": "same", "CNN": "same"}, {"MLP": (0.9, 0.91), "CNN": (0.9, 0.889)})
    for prediction, phrase in [
        ({"MLP": "worse", "CNN": "worse"}, "neighbors"),
        ({"MLP": "same", "CNN": "same"}, "small window"),
        ({"MLP": "same", "CNN": "better"}, "answer `same` or `worse`"),
        ({"MLP": "same"}, "CNN: answer"),
        ({"MLP": 0.1, "CNN": "worse"}, "MLP: answer"),
    ]:
        fails(check.shuffle, prediction, MEASURED, match=phrase)


@pytest.mark.parametrize(
    "make",
    [
        network,
        functional,
        lambda: functional(softmax=keras.ops.softmax),
        built_without_input,
    ],
)
def test_right_models_pass(make):
    check.cnn(make())


@pytest.mark.parametrize(
    ("make", "phrase"),
    [
        (lambda: 3, "A Keras model is expected"),
        (not_built, "the shape of its input"),
        (lambda: network(shape=(28, 28, 3)), "The input shape"),
        (lambda: network(filters=(), kernels=(), pools=()), "no `keras.layers.Conv2D`"),
        (lambda: network(filters=(16, 32), kernels=(5, 5), pools=(1, 1)), "2 convolutions"),
        (lambda: network(filters=(64, 32, 16)), "first convolution has 64 filters"),
        (lambda: network(filters=(5, 32, 64)), "first convolution has 5 filters"),
        (lambda: network(kernels=(3, 3, 3)), "the table says 5 x 5"),
        (lambda: network(padding="valid"), 'Use `padding="same"`'),
        (lambda: network(stride=2, pools=(0, 0, 0)), "first convolution has the stride"),
        (lambda: network(pooling="AveragePooling2D"), r"asks for a `MaxPooling2D\(2\)`"),
        (lambda: network(pools=(0, 0, 0)), "Maps of 28 x 28 reach the second"),
        (lambda: network(pools=(1, 2, 0)), "Maps of 3 x 3 reach the third"),
        (lambda: network(pools=(1, 1, 1)), "not 7 x 7"),
        (lambda: network(scale=1), "as 255"),
        (lambda: network(scale=255), "as 65025"),
        (lambda: network(norm=False), "0 batch normalizations"),
        (lambda: network(momentum=0.99), "default momentum"),
        (lambda: network(relu=False), "0 ReLUs"),
        (lambda: network(dropout=None), "no `Dropout`"),
        (lambda: network(dropout="after"), "hides answers"),
        (lambda: network(flat="GlobalAveragePooling2D"), "^64 numbers reach the last dense"),
        (lambda: network(hidden=[128]), "^128 numbers reach the last dense"),
        (lambda: functional(scale=lambda x: x / 255), "Divide` in the model is no layer"),
        (lambda: functional(relu=keras.ops.relu), "`Relu` in the model is no layer"),
        (lambda: functional(pool=lambda x: keras.ops.max_pool(x, 2)), "`MaxPool` in the model"),
        (lambda: network(last=None), "add up to 1"),
        (lambda: network(last="sigmoid"), "add up to 1"),
        (without_flatten, "The output shape"),
        (nested, "a model inside"),
    ],
)
def test_wrong_models_fail_with_their_message(make, phrase):
    fails(check.cnn, make(), match=phrase)


def test_every_check_answers_at_once():
    model = network()
    check.cnn(model)  # Keras compiles at its first call
    for test, arguments in [
        *((test, right[:1]) for test, right in RIGHT.items()),
        (check.count_parameters, (conv_parameters, dense_parameters)),
        (check.recognize, (NAMED, KERNELS)),
        (check.cnn, (model,)),
        (check.shuffle, ({"MLP": "same", "CNN": "worse"}, MEASURED)),
    ]:
        at_once(test, *arguments)
