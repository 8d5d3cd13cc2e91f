"""The checks of lab 05 against right, blank and wrong answers."""

import functools
import re

import keras
import numpy as np
import pytest
from failing import at_once, fails, three_tests
from keras import layers, ops

from helpers.checks import transfer as check
from helpers.checks.core import CheckFailed, NotAttempted

NORMS = {
    "sigmoid": np.array([1e-2, 1e-4, 1e-9]),
    "ReLU": [1.0, 0.9, 0.1],
    "ReLU with skips": [0.001, 0.002, 0.003],
}


def cost(height, width, kernel, inputs, filters):
    weights = kernel**2 * inputs * filters
    return weights + filters, weights * height * width


def cost_by_keras(height, width, kernel, inputs, filters):
    layer = layers.Conv2D(filters, kernel, padding="same")
    layer.build((None, height, width, inputs))
    return np.array([layer.count_params(), layer.kernel.shape[0] ** 2 * inputs * filters]) * (
        1,
        height * width,
    )


def conv(x, filters, size, *, stride=1, padding="same", relu=True, **options):
    x = layers.Conv2D(filters, size, strides=stride, padding=padding, **options)(x)
    return layers.ReLU()(x) if relu else x


def branch(x, reduced, filters, kernel_size):
    x = layers.Conv2D(reduced, 1, activation="relu")(x)
    return layers.Conv2D(filters, kernel_size, padding="same", activation="relu")(x)


def branch_sequential(x, reduced, filters, kernel_size):
    narrow = layers.Conv2D(reduced, (1, 1), padding="same")
    wide = layers.Conv2D(filters, (kernel_size, kernel_size), padding="same")
    return keras.Sequential([narrow, layers.ReLU(), wide, layers.Activation("relu")])(x)


def branch_by_ops(x, reduced, filters, kernel_size):
    return ops.relu(conv(conv(x, reduced, 1), filters, kernel_size, relu=False))


def block(
    x,
    filters,
    stride=1,
    *,
    strides=None,
    norm=False,
    between=True,
    inner=False,
    last=True,
    join=layers.add,
    project=None,
    side_stride=None,
    side_size=1,
    padding="same",
):
    """A right answer whose parts can be replaced by wrong ones."""
    first, second = strides or (stride, 1)
    changed = stride != 1 or x.shape[-1] != filters
    y = conv(x, filters, 3, stride=first, padding=padding, relu=False)
    y = layers.BatchNormalization()(y) if norm else y
    y = layers.ReLU()(y) if between else y
    y = conv(y, filters, 3, stride=second, padding=padding, relu=False)
    y = layers.BatchNormalization()(y) if norm else y
    y = layers.ReLU()(y) if inner else y
    if project if project is not None else changed:
        x = conv(x, filters, side_size, stride=side_stride or stride, relu=False)
        x = layers.BatchNormalization()(x) if norm else x
    y = join([x, y])
    return layers.ReLU()(y) if last else y


def block_by_ops(x, filters, stride=1):
    shortcut = x
    x = layers.Conv2D(filters, 3, stride, "same", use_bias=False)(x)
    x = ops.relu(layers.BatchNormalization(scale=False)(x))
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    if shortcut.shape != x.shape:
        shortcut = layers.Conv2D(filters, 1, strides=stride, use_bias=False)(shortcut)
    return ops.relu(x + shortcut)


def block_preactivated(x, filters, stride=1):
    y = layers.ReLU()(layers.BatchNormalization()(x))
    changed = stride != 1 or x.shape[-1] != filters
    x = conv(y, filters, 1, stride=stride, relu=False) if changed else x
    return x + conv(conv(y, filters, 3, stride=stride), filters, 3, relu=False)


def block_overwriting(x, filters, stride=1, *, keep=1):
    side = x
    for place, step in enumerate([stride, 1]):
        x = conv(x, filters, 3, stride=step, relu=place == 0)
        side = x if place < keep else side
    return layers.ReLU()(x + side)


def block_that_pools(x, filters, stride=1):
    y = conv(conv(x, filters, 3), filters, 3, relu=False)
    y = layers.MaxPooling2D(stride, padding="same")(y) if stride > 1 else y
    return layers.ReLU()(y + x) if y.shape == x.shape else y


def block_pooled_shortcut(x, filters, stride=1, *, padding="same"):
    h = layers.Conv2D(filters, 3, strides=stride, padding=padding, activation="relu")(x)
    h = layers.Conv2D(filters, 3, padding="same")(h)
    if stride != 1:
        x = layers.AveragePooling2D(stride)(x)
    if x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1)(x)
    return layers.ReLU()(layers.Add()([x, h]))


def block_relu_shortcut(x, filters, stride=1):
    h = layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu")(x)
    h = layers.Conv2D(filters, 3, padding="same")(h)
    if stride != 1 or x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1, strides=stride, activation="relu")(x)
    return layers.ReLU()(layers.Add()([x, h]))


def block_concat(x, filters, stride=1):
    return block(x, filters, stride, join=layers.concatenate)


def branch_joined(x, reduced, filters, kernel_size):
    narrow = conv(x, reduced, 1)
    return layers.Concatenate()([narrow, conv(narrow, filters, kernel_size)])


def classifier(
    backbone,
    classes,
    *,
    freeze=True,
    first=(),
    pool=layers.GlobalAveragePooling2D,
    head=lambda classes: layers.Dense(classes, activation="softmax"),
):
    """A right answer whose parts can be replaced by wrong ones."""
    backbone.trainable = not freeze
    inputs = keras.Input(backbone.input_shape[1:])
    x = backbone(keras.Sequential(first)(inputs) if first else inputs, training=False)
    x = pool()(x) if pool else x
    return keras.Model(inputs, head(classes)(x) if head else x)


def classifier_sequential(backbone, classes):
    backbone.trainable = False
    head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(classes)]
    model = keras.Sequential([backbone, *head, layers.Softmax()])
    model.compile(loss="sparse_categorical_crossentropy")
    return model


def classifier_flat(backbone, classes):
    for layer in backbone.layers:
        layer.trainable = False
    x = ops.mean(backbone.output, axis=(1, 2))
    return keras.Model(backbone.input, layers.Dense(classes, "softmax")(x))


def frozen_by(freeze, then=lambda model: None):
    """A classifier whose backbone has been made (un)trainable by `freeze`."""

    def answer(backbone, classes):
        model = classifier(backbone, classes, freeze=False)
        freeze(backbone)
        then(model)
        return model

    return answer


def set_layers(chosen, value=False):
    def freeze(backbone):
        for layer in chosen(backbone.layers):
            layer.trainable = value

    return freeze


def without_norms(all_layers):
    return [layer for layer in all_layers if not isinstance(layer, layers.BatchNormalization)]


def frozen_weights(backbone):
    for weight in backbone.weights:
        weight.trainable = False


def hidden(classes):
    return keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(classes, "softmax")])


def head(units=None, activation="softmax", **options):
    return {"head": lambda classes: layers.Dense(units or classes, activation, **options)}


def is_norm(layer):
    return isinstance(layer, layers.BatchNormalization)


def unfreeze(backbone, count):
    backbone.trainable = True
    first = len(backbone.layers) - count
    for place, layer in enumerate(backbone.layers):
        layer.trainable = place >= first and not is_norm(layer)


def unfreeze_returning(backbone, count):
    backbone.trainable = True
    for layer in backbone.layers[: len(backbone.layers) - count]:
        layer.trainable = False
    for layer in filter(is_norm, backbone.layers):
        layer.trainable = False
    return backbone


def unfreeze_reversed(backbone, count):
    backbone.trainable = True
    for place, layer in enumerate(reversed(backbone.layers)):
        layer.trainable = not (place >= count or is_norm(layer))


def unfreezing(chosen, *, before=True, norms=False, others=False, after=None):
    """A wrong answer that trains the layers `chosen(layers, count)`."""

    def answer(backbone, count):
        if before is not None:
            backbone.trainable = before
        if others is not None:
            for layer in backbone.layers:
                layer.trainable = others
        for layer in chosen(backbone.layers, count):
            layer.trainable = norms or not is_norm(layer)
        if after is not None:
            backbone.trainable = after

    return answer


def last(all_layers, count):
    return all_layers[len(all_layers) - count :]


def unfreeze_never_freezing(backbone, count):
    backbone.trainable = True
    for layer in backbone.layers[-count:]:
        layer.trainable = not is_norm(layer)


def unfreeze_all_never_freezing(backbone, count):
    backbone.trainable = True
    for layer in backbone.layers[-count:]:
        layer.trainable = True


def unfreeze_norms_in_front(backbone, count):
    backbone.trainable = True
    first = len(backbone.layers) - count
    for i, layer in enumerate(backbone.layers):
        if i < first and not is_norm(layer):
            layer.trainable = False
        if i >= first and is_norm(layer):
            layer.trainable = False


def unfreeze_by_name(backbone, count):
    backbone.trainable = True
    first = len(backbone.layers) - count
    for place, layer in enumerate(backbone.layers):
        layer.trainable = place >= first and "norm" not in layer.name


def unfreeze_counting_others(backbone, count, *, cut=False):
    backbone.trainable = True
    for layer in backbone.layers:
        layer.trainable = False
    others = without_norms(backbone.layers)
    for layer in others[len(others) - count if cut else -count :]:
        layer.trainable = True


def weights_of(number, combinations=lambda y, g: len(set(zip(y, g, strict=True)))):
    """A formula n / (K * number) whose parts can be replaced by wrong ones."""

    def group_weights(labels, groups):
        k = combinations(labels, groups)
        weights = np.zeros(len(labels))
        for i in range(len(labels)):
            weights[i] = len(labels) / (k * number(labels, groups, labels[i], groups[i]))
        return weights

    return group_weights


def weights_inverted(labels, groups):
    k = len(set(zip(labels, groups, strict=True)))
    return k * sizes(labels, groups) / len(labels)


def weights_by_loops(labels, groups):
    pairs = list(zip(labels, groups, strict=True))
    return np.array([len(pairs) / (len(set(pairs)) * pairs.count(pair)) for pair in pairs])


def weights_by_numpy(labels, groups):
    pairs = np.stack([labels, groups])
    _, inverse, counts = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    weights = (1 / counts)[inverse.ravel()]
    return (weights / weights.mean()).astype("float32")


def weights_by_masks(labels, groups):
    weights = np.zeros(len(labels))
    for label in np.unique(labels):
        for group in np.unique(groups):
            found = (labels == label) & (groups == group)
            weights[found] = 1 / max(found.sum(), 1)
    return ops.convert_to_tensor(weights * len(weights) / weights.sum())


def sizes(*columns):
    rows = list(zip(*columns, strict=True))
    return np.array([rows.count(row) for row in rows])


def share(*columns):
    return len(columns[0]) / (len(set(zip(*columns, strict=True))) * sizes(*columns))


def all_combinations(labels, groups):
    return len(labels) / (len(set(labels)) * len(set(groups)) * sizes(labels, groups))


RIGHT = {
    check.conv_cost: [
        cost,
        cost_by_keras,
        lambda h, w, k, c, f: [float(f * (k * k * c + 1)), np.int64(h * w * k * k * c * f)],
    ],
    check.inception_branch: [branch, branch_sequential, branch_by_ops],
    check.residual_block: [
        block,
        functools.partial(block, norm=True),
        block_by_ops,
        block_preactivated,
    ],
    check.frozen_classifier: [classifier, classifier_sequential, classifier_flat],
    check.unfreeze_last: [unfreeze, unfreeze_returning, unfreeze_reversed],
    check.group_weights: [weights_by_loops, weights_by_numpy, weights_by_masks],
}

WRONG = [
    (check.conv_cost, lambda h, w, k, c, f: cost(h, w, k, c, f)[::-1], "changed places"),
    (check.conv_cost, lambda h, w, k, c, f: cost(h, w, k, c, f)[0], "two numbers"),
    (check.conv_cost, lambda h, w, k, c, f: {"parameters": 3}, "two numbers"),
    *(
        (check.conv_cost, lambda h, w, k, c, f, p=p: (p(h, w, k, c, f), 1), phrase)
        for p, phrase in [
            (lambda h, w, k, c, f: k * k * c * f, "biases are missing"),
            (lambda h, w, k, c, f: k * c * f + f, "k times k weights"),
            (lambda h, w, k, c, f: k * k * f + f, "input channels are missing"),
            (lambda h, w, k, c, f: (k * k * c + 1) * f * h * w, "All positions share"),
            (lambda h, w, k, c, f: k * k * c * f + c, "not to the input channels"),
            (lambda h, w, k, c, f: 17, "expected"),
        ]
    ),
    *(
        (check.conv_cost, lambda *a, m=m: (cost(*a)[0], m(*a)), phrase)
        for m, phrase in [
            (lambda h, w, k, c, f: (k * k * c * f + f) * h * w, "no multiplication"),
            (lambda h, w, k, c, f: k * c * f * h * w, "k times k products"),
            (lambda h, w, k, c, f: k * k * c * f, "height times width"),
            (lambda h, w, k, c, f: k * k * f * h * w, "input channels are missing"),
            (lambda h, w, k, c, f: k * k * c * f * h, "width is missing"),
            (lambda h, w, k, c, f: (k * k * c * f) * (h - k + 1) * (w - k + 1), "as large"),
            (lambda h, w, k, c, f: 17, "expected"),
        ]
    ),
    *(
        (check.inception_branch, answer, phrase)
        for answer, phrase in [
            (lambda x, r, f, k: conv(x, f, k), "reduction is missing"),
            (lambda x, r, f, k: conv(conv(x, r, k), f, 1), "order is wrong"),
            (lambda x, r, f, k: conv(conv(x, f, 1), f, k), "it should make `reduced`"),
            (lambda x, r, f, k: conv(conv(x, r + 1, 1), f, k), "not `reduced`"),
            (lambda x, r, f, k: conv(conv(x, r, 1), r, k), "not `filters`"),
            (lambda x, r, f, k: conv(conv(x, r, k), f, k), "is not 1 x 1"),
            (lambda x, r, f, k: conv(conv(x, r, 1), f, 3), "as large as `kernel_size`"),
            (lambda x, r, f, k: conv(x, r, 1), "has passed 1 convolution(s)"),
            (branch_joined, "Only the map"),
            (lambda x, r, f, k: layers.Dense(f)(x), "has parameters"),
            (lambda x, r, f, k: layers.ReLU()(x), "no convolution"),
            (lambda x, r, f, k: conv(conv(x, r, 1), f, k, padding="valid"), "Height and width"),
            (lambda x, r, f, k: conv(conv(x, r, 1), f, k, stride=2), "has a stride"),
            (lambda x, r, f, k: conv(conv(x, r, 1), f, k, use_bias=False), "has no bias"),
            (lambda x, r, f, k: layers.MaxPooling2D(2)(conv(x, r, 1)), "pooling layer"),
            (lambda x, r, f, k: conv(conv(x, r, 1, relu=False), f, k), "after the 1 x 1"),
            (lambda x, r, f, k: conv(conv(x, r, 1), f, k, relu=False), "after the last"),
            (
                lambda x, r, f, k: conv(conv(x, r, 1, relu=False), f, k, relu=False),
                "There is no ReLU",
            ),
            (
                lambda x, r, f, k: layers.Activation("tanh")(conv(conv(x, r, 1), f, k)),
                "differs most",
            ),
            (lambda x, r, f, k: layers.add([conv(x, f, 1), conv(x, f, k)]), "begin at `x`"),
            (lambda x, r, f, k: [conv(x, r, 1)], "of type `list`"),
            (lambda x, r, f, k: layers.Conv2D(f, k), "a layer"),
            (lambda x, r, f, k: conv(keras.Input((4, 4, 3)), r, 1), "doesn't depend"),
            (lambda x, r, f, k: x, "unchanged"),
            (lambda x, r, f, k: layers.Conv2D(f, "k")(x), "stopped with an error"),
        ]
    ),
    *(
        (check.residual_block, functools.partial(block, **options), phrase)
        for options, phrase in [
            ({"join": lambda pair: pair[1]}, "shortcut is missing"),
            ({"inner": True, "last": False}, "stands before the addition"),
            ({"inner": True}, "A ReLU stands before"),
            ({"last": False}, "after the addition is missing"),
            ({"between": False}, "between the two convolutions is missing"),
            ({"norm": True, "between": False}, "between the two convolutions is missing"),
            ({"join": layers.multiply}, "multiplied"),
            ({"join": layers.subtract}, "differs most"),
            ({"join": lambda pair: layers.subtract(pair[::-1])}, "subtracted"),
            ({"project": True}, "no 1 x 1 convolution, no parameters"),
            ({"side_size": 3}, "is 1 x 1, not 3 x 3"),
            ({"side_stride": 1}, "still has the height"),
            ({"project": False}, "can't be added"),
            ({"padding": "valid"}, 'need `padding="same"`'),
        ]
    ),
    *(
        (check.residual_block, answer, phrase)
        for answer, phrase in [
            (block_concat, "concatenated"),
            (block_pooled_shortcut, "One part is 4 x 3, the other 5 x 4;"),
            (functools.partial(block_pooled_shortcut, padding="valid"), "have got lost"),
            (block_relu_shortcut, "A ReLU stands in the shortcut"),
            (lambda x, f, s=1: block(x, f, s, strides=(s, s)), "in both convolutions"),
            (lambda x, f, s=1: block(x, f, s, strides=(1, s)), "in the second convolution"),
            (lambda x, f, s=1: block(x, f, s, project=s > 1), "can't be added"),
            (lambda x, f, s=1: block(x, f, s, project=f != x.shape[-1]), "still has the height"),
            (lambda x, f, s=1: block(x, f, 1), "stride has no effect"),
            (block_overwriting, "first convolution is added"),
            (functools.partial(block_overwriting, keep=2), "added to itself"),
            (lambda x, f, s=1: conv(x, f, 3) + x, "it has 1"),
            (block_that_pools, "no 1 x 1 convolution"),
            (lambda x, f, s=1: block(layers.MaxPooling2D(1)(x), f, s), "pooling layer"),
            (lambda x, f, s=1: [layers.Conv2D(f, 3), layers.ReLU()], "of type `list`"),
            (lambda x, f, s: block(x, f, s), "stopped with an error"),
            (lambda x, f, s=1: keras.Sequential([layers.Conv2D(f, 3)]), "a model"),
        ]
    ),
    *(
        (check.frozen_classifier, functools.partial(classifier, **options), phrase)
        for options, phrase in [
            ({"freeze": False}, "backbone is not frozen"),
            ({"pool": None}, "pool them"),
            ({"pool": layers.Flatten}, "Flatten gives"),
            ({"pool": layers.GlobalMaxPooling2D}, "maxima of the maps"),
            ({"head": None}, "Those are the features"),
            ({"head": hidden}, "more than one layer"),
            (head(activation="sigmoid"), "Sigmoids don't"),
            (head(activation=None), "no softmax"),
            (head(activation=lambda x: ops.softmax(x, 0)), "over the images"),
            (head(activation="elu"), "expected"),
            ({"first": [layers.Rescaling(1 / 255)]}, "are rescaled"),
            (head(units=1), "One number for each image"),
            (head(units=4), "one unit for each class"),
            (head(use_bias=False), "bias of the head"),
        ]
    ),
    *(
        (check.frozen_classifier, answer, phrase)
        for answer, phrase in [
            (lambda b, n: b, "the backbone itself"),
            (lambda b, n: classifier(b, n).output, "an output, not a model"),
            (lambda b, n: classifier(keras.models.clone_model(b), n), "copied or made anew"),
            (lambda b, n: b(keras.Input((160, 160, 3))), "backbone.input_shape[1:]"),
            (frozen_by(set_layers(lambda a: a[-3:])), "Only some layers"),
            (frozen_by(set_layers(without_norms)), "BatchNormalization layers of the backbone"),
            (frozen_by(frozen_weights), "moving mean and variance"),
            (frozen_by(set_layers(lambda a: a[:3])), "Only some layers"),
            (
                frozen_by(lambda b: None, lambda model: setattr(model, "trainable", False)),
                "nothing can be trained",
            ),
        ]
    ),
    *(
        (check.unfreeze_last, unfreezing(chosen, **options), phrase)
        for chosen, options, phrase in [
            (lambda a, n: a[:n], {}, "first layers can be trained"),
            (last, {"norms": True}, "BatchNormalization layers can be trained"),
            (last, {"before": False}, "itself is still frozen"),
            (last, {"before": None}, "itself is still frozen"),
            (last, {"after": False}, "itself is still frozen"),
            (last, {"before": None, "after": True}, "Every layer can be trained"),
            (lambda a, n: a[-n:], {}, "With a count of 0"),
            (lambda a, n: a[-n:], {"norms": True}, "BatchNormalization layers can be trained"),
            (lambda a, n: a, {}, "before the last `count`"),
            (lambda a, n: a[: len(a) - n], {}, "wrong way round"),
            (lambda a, n: a[:-n], {}, "wrong way round"),
            (lambda a, n: last(a, n + 1), {}, "one layer too many"),
            (lambda a, n: last(a, n - 1) if n else [], {}, "one layer too few"),
            (lambda a, n: last([x for x in a if x.weights], min(n, 6)), {}, "counts all layers"),
            (lambda a, n: last(without_norms(a), min(n, 6)), {}, "counts all layers"),
            (lambda a, n: a[3:5], {}, "these layers can be trained: conv_2; expected"),
        ]
    ),
    (check.unfreeze_last, unfreeze_never_freezing, "before the last `count` should be frozen"),
    (check.unfreeze_last, unfreeze_all_never_freezing, "freeze those before the last `count`"),
    (check.unfreeze_last, unfreeze_norms_in_front, "BatchNormalization layers can be trained"),
    (check.unfreeze_last, unfreeze_by_name, "BatchNormalization layers can be trained"),
    (check.unfreeze_last, unfreeze_counting_others, "counts all layers, BatchNormalization"),
    (
        check.unfreeze_last,
        functools.partial(unfreeze_counting_others, cut=True),
        "counts all layers, BatchNormalization",
    ),
    (check.unfreeze_last, lambda b, n: b.layers[99], "stopped with an error"),
    (check.unfreeze_last, lambda b, n: b.set_weights([0 * w for w in b.get_weights()]), "changes"),
    *(
        (check.group_weights, answer, phrase)
        for answer, phrase in [
            (lambda y, g: share(g), "Only the groups"),
            (lambda y, g: share(y), "Only the labels"),
            (lambda y, g: share(y) * share(g), "Weights of the labels times"),
            (lambda y, g: share(2 * y + g), "taken for one"),
            (lambda y, g: share(y + g), "taken for one"),
            (sizes, "sizes of the combinations"),
            (lambda y, g: sizes(y, g) / sizes(y, g).mean(), "Large combinations get large"),
            (lambda y, g: sizes(y, g) / len(y), "shares of the combinations"),
            (lambda y, g: 1 / sizes(y, g), "proportions are right"),
            (lambda y, g: len(y) / sizes(y, g), "proportions are right"),
            (all_combinations, "Count only the combinations that occur: K is 3 here, not 4."),
            (all_combinations, "([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])"),
            (weights_inverted, "Large combinations get large"),
            (weights_of(lambda y, g, a, b: ((y == a) | (g == b)).sum()), "use `&`, not `|`"),
            (weights_of(lambda y, g, a, b: sum(y == a and g == b)), "each in brackets"),
            (weights_of(lambda y, g, a, b: sum(y == a & g == b)), "each in brackets"),
            (lambda y, g: np.zeros(len(y)), "expected"),
            (lambda y, g: np.ones(len(y)), "All samples count the same"),
            (lambda y, g: np.ones(4), "one for each combination"),
            (lambda y, g: {(0, 0): 1.0}, "of type `dict`"),
            (lambda y, g: weights_by_loops(y, g).tolist(), "of type `list`"),
            (lambda y, g: weights_by_numpy(y, g) / len(y), "add up to 1"),
            (lambda y, g: np.arange(len(y)), "expected"),
            (lambda y, g: y / 0 * g, "NaN"),
        ]
    ),
]


def network(**changes):
    """AlexNet, empty but for its biases; `changes` by place (of layers with weights or pools)."""
    stack = [keras.Input(changes.pop("shape", (227, 227, 3)))]
    for place, (kind, *numbers) in enumerate(
        [
            ("conv", 96, 11, 4, "valid"),
            ("pool", 3, 2),
            ("conv", 256, 5, 1, "same"),
            ("pool", 3, 2),
            ("conv", 384, 3, 1, "same"),
            ("conv", 384, 3, 1, "same"),
            ("conv", 256, 3, 1, "same"),
            ("pool", 3, 2),
            ("flatten",),
            ("dense", 4096),
            ("dense", 4096),
            ("dense", 1000),
        ]
    ):
        change = changes.get(f"at_{place}", {})
        if isinstance(change, list):
            stack += change
            continue
        empty = {"kernel_initializer": "zeros", "activation": "softmax" if place == 11 else "relu"}
        if kind == "conv":
            names = ("filters", "kernel_size", "strides", "padding")
            settings = dict(zip(names, numbers, strict=True)) | empty | change
            stack.append(layers.Conv2D(**settings))
        elif kind == "pool":
            names = ("pool_size", "strides")
            stack.append(layers.MaxPooling2D(**dict(zip(names, numbers, strict=True)) | change))
        elif kind == "flatten":
            stack.append(layers.Flatten())
        else:
            stack += [layers.Dropout(0.5)] if place > 9 else []
            stack.append(layers.Dense(**{"units": numbers[0]} | empty | change))
    return keras.Sequential([*stack, *changes.get("more", [])])


def network_functional():
    padded = [layers.ZeroPadding2D(2), layers.Conv2D(256, 5, activation="relu")]
    model = network(at_0={"activation": None}, at_2=padded, at_11={"activation": None})
    x = inputs = keras.Input((227, 227, 3))
    for layer in model.layers:
        x = ops.relu(layer(x)) if getattr(layer, "filters", 0) == 96 else layer(x)
    return keras.Model(inputs, layers.Softmax()(x))


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG, also_blank=[check.alexnet])


def test_other_blanks_are_not_attempted():
    fails(check.vanishing, None, NORMS, match=None, kind=NotAttempted)
    fails(check.alexnet, [layers.Flatten(), ...], match=None, kind=NotAttempted)


@pytest.mark.parametrize("test", RIGHT)
def test_answers_that_are_no_function(test):
    fails(test, "x", match="A function is expected")


@pytest.mark.parametrize("make", [network, network_functional])
def test_right_networks_pass(make):
    check.alexnet(make())


DENSE = [layers.Dense(4, activation="relu")]
SMALL = {"at_9": {"units": 8}, "at_10": {"units": 8}}


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"shape": (224, 224, 3), **SMALL}, "only 227 fits"),
        ({"at_0": {"padding": "same"}, **SMALL}, "57 x 57 x 96; expected: 55 x 55 x 96. Look at"),
        ({"at_0": {"strides": 2, "filters": 4}, **SMALL}, "`filters`, here 4 and `strides`"),
        ({"at_1": {"padding": "same"}, **SMALL}, "28 x 28 x 96; expected: 27 x 27 x 96"),
        ({"at_1": {"pool_size": 2}, **SMALL}, "its `pool_size` is (2, 2)"),
        ({"at_1": [layers.AveragePooling2D(3, 2)], **SMALL}, "takes the average"),
        ({"at_2": {"padding": "valid"}, **SMALL}, "second convolution is 23 x 23 x 256"),
        ({"at_2": {"kernel_size": 3}, **SMALL}, "its `kernel_size` is (3, 3)"),
        ({"at_4": [], **SMALL}, "fourth convolution is 13 x 13 x 256"),
        ({"at_5": [], **SMALL}, "Is a layer missing, or one too many?"),
        ({"at_3": [], **SMALL}, "A convolution stands where the second pooling is"),
        ({"at_8": [], **SMALL}, "flatten them"),
        ({"at_8": [layers.GlobalAveragePooling2D()], **SMALL}, "keeps one number of each map"),
        (SMALL, "first dense layer is 8; expected: 4096"),
    ],
)
def test_networks_that_differ_in_a_layer(changes, phrase):
    fails(check.alexnet, network(**changes), match=re.escape(phrase))


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"at_11": []}, "last dense layer is missing"),
        ({"more": DENSE}, "one layer too many"),
        ({"at_4": {"activation": None}}, "No ReLU follows the third convolution"),
        ({"at_11": {"activation": "sigmoid"}}, "needs a softmax"),
        ({"at_2": {"use_bias": False}}, "has no bias"),
        ({"at_2": {"groups": 2}}, "one tower"),
        ({"more": [layers.BatchNormalization()]}, "`BatchNormalization` has parameters"),
    ],
)
def test_networks_that_differ_elsewhere(changes, phrase):
    fails(check.alexnet, network(**changes), match=re.escape(phrase))


def test_answers_that_are_no_model():
    fails(check.alexnet, [layers.Flatten()], match=r"keras\.Sequential")
    fails(check.alexnet, keras.Sequential([layers.Flatten()]), match="begin with")


def test_the_images_are_named_only_where_an_error_is_about_them():
    with pytest.raises(CheckFailed, match="stopped with an error") as failure:
        check.frozen_classifier(lambda b, n: keras.Sequential([b.output]))
    assert "takes images" not in str(failure.value)


def test_an_error_of_keras_is_shown_without_codes_of_color():
    def other(backbone, classes):
        return classifier_sequential(keras.Sequential([keras.Input((9, 9, 3))]), classes)

    with pytest.raises(CheckFailed, match="when it was given images") as failure:
        check.frozen_classifier(other)
    assert "\x1b" not in str(failure.value)


def test_the_gradient_that_vanishes():
    for name in ("sigmoid", "Sigmoid "):
        check.vanishing(name, NORMS)
    check.vanishing("relu-with skips", {**NORMS, "sigmoid": [1, 1], "ReLU with skips": [1, 0]})
    check.vanishing("ReLU", {"sigmoid": [1, np.inf], "ReLU": [2, 2], "tanh": [0, 0]})
    fails(check.vanishing, "a", {"a": [1, 1], "b": [1, 0]}, match="another kind has nothing left")
    for name, phrase in [
        ("ReLU", "slope of its activation"),
        ("ReLU with skips", "skip"),
        ("tanh", "one of these"),
        (3, "one of these"),
        (NORMS, "one of these"),
    ]:
        fails(check.vanishing, name, NORMS, match=phrase)


def test_every_check_answers_at_once():
    cases = [(test, right[:1]) for test, right in RIGHT.items()]
    cases += [(check.alexnet, (network(),)), (check.vanishing, ("sigmoid", NORMS))]
    for test, arguments in cases:
        at_once(test, *arguments)
