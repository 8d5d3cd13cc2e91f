"""The checks of lab 06 against right, blank and wrong answers."""

import re

import numpy as np
import pytest
from failing import at_once, fails, three_tests
from keras import layers, ops
from scipy import ndimage, signal

from helpers.checks import unet as check
from helpers.checks.core import CheckFailed, NotAttempted


def stamps(image, kernel, stride):
    (h, w), k = image.shape, len(kernel)
    out = np.zeros(((h - 1) * stride + k, (w - 1) * stride + k))
    for i in range(h):
        for j in range(w):
            out[i * stride : i * stride + k, j * stride : j * stride + k] += image[i, j] * kernel
    return out


def by_zeros(image, kernel, stride):
    spread = np.zeros([(side - 1) * stride + 1 for side in image.shape])
    spread[::stride, ::stride] = image
    return np.float32(signal.convolve2d(spread, kernel, mode="full"))


def by_lists(image, kernel, stride):
    (h, w), k = image.shape, len(kernel)
    out = [[0.0] * ((w - 1) * stride + k) for _ in range((h - 1) * stride + k)]
    for i, j, a, b in np.ndindex(h, w, k, k):
        out[i * stride + a][j * stride + b] += float(image[i, j] * kernel[a, b])
    return out


def stamps_with(size=None, step=lambda s: s, dtype=float, put=np.add, rows=None):
    """A stamping loop with a fault."""

    def answer(image, kernel, stride):
        (h, w), k = image.shape, len(kernel)
        sides = [size(n, k, stride) if size else (n - 1) * stride + k for n in (h, w)]
        out = np.zeros(sides, dtype=dtype or image.dtype)
        for i in range(h):
            for j in range(rows(h, w) if rows else w):
                r, c = i * step(stride), j * step(stride)
                old = out[r : r + k, c : c + k]
                out[r : r + k, c : c + k] = put(old, image[i, j] * kernel)
        return out

    return answer


def added_in_place(image, kernel, stride):
    out = np.zeros_like(image, shape=stamps(image, kernel, stride).shape)
    out[: len(kernel), : len(kernel)] += image[0, 0] * kernel
    return stamps(image, kernel, stride)


def overlap(
    above=lambda i, t, p: i,
    below=lambda i, t, p: t + p - i,
    absent=np.nan,
    first=0,
    per_image=False,
):
    """A score of each class whose parts can be replaced by wrong ones."""

    def score(truth, predicted, classes):
        if per_image and truth.ndim == 3:
            pairs = zip(truth, predicted, strict=True)
            return np.nanmean([score(*pair, classes) for pair in pairs], axis=0)
        result = []
        for c in range(first, classes):
            t, p = np.sum(truth == c), np.sum(predicted == c)
            i = np.sum((truth == c) & (predicted == c))
            number = below(i, t, p)
            result.append(above(i, t, p) / number if number or absent == "error" else absent)
        return np.array(result)

    return score


def as_dice(**wrong):
    parts = {"above": lambda i, t, p: 2 * i, "below": lambda i, t, p: t + p}
    return overlap(**{**parts, **wrong})


def by_confusion(truth, predicted, classes):
    pairs = truth.astype(int).ravel() * classes + predicted.ravel()
    table = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    both = np.diag(table)
    return both, table.sum(0) + table.sum(1)


def iou_by_confusion(*case):
    both, areas = by_confusion(*case)
    return both / (areas - both)


def dice_by_confusion(*case):
    both, areas = by_confusion(*case)
    return list(np.float32(2 * both / areas))


def iou_by_tensor(truth, predicted, classes):
    scores = []
    for c in range(classes):
        t, p = ops.equal(truth, c), ops.equal(predicted, c)
        both = ops.sum(ops.cast(ops.logical_and(t, p), "float32"))
        scores.append(both / ops.sum(ops.cast(ops.logical_or(t, p), "float32")))
    return ops.stack(scores)


def iou_by_loops(truth, predicted, classes):
    if truth.ndim == 2:
        truth, predicted = truth[None], predicted[None]
    n, h, w = truth.shape
    both, either = np.zeros((2, classes))
    for i, row, column in np.ndindex(n, h, w):
        t, p = truth[i, row, column], predicted[i, row, column]
        both[t] += t == p
        either[t] += 1
        either[p] += t != p
    return [a / b if b else np.nan for a, b in zip(both, either, strict=True)]


def python_division(truth, predicted, classes):
    return [
        int(np.sum((truth == c) & (predicted == c))) / int(np.sum((truth == c) | (predicted == c)))
        for c in range(classes)
    ]


def weights(masks, classes):
    counts = np.array([np.sum(masks == c) for c in range(classes)])
    return np.where(counts > 0, masks.size / (classes * np.maximum(counts, 1)), 0)


def weights_by_loop(masks, classes):
    result = []
    for c in range(classes):
        pixels = int((masks == c).sum())
        result.append(masks.size / (classes * pixels) if pixels else 0)
    return result


def count(masks, classes):
    return np.bincount(masks.ravel(), minlength=classes)


def scaled(scale):
    return lambda m, c: scale(m, c, count(m, c)) * weights(m, c) / m.size * c


def by_image(masks, classes):
    if masks.ndim < 3:
        return weights(masks, classes)
    return np.mean([weights(mask, classes) for mask in masks], axis=0)


def moved(array, mirror, down, right, mode="edge"):
    array = array[:, ::-1] if mirror else array
    pads = [(5, 5), (5, 5)] + [(0, 0)] * (array.ndim - 2)
    h, w = array.shape[:2]
    return np.pad(array, pads, mode=mode)[5 - down : 5 - down + h, 5 - right : 5 - right + w]


def augment(image, mask, rng):
    move = rng.random() < 0.5, *rng.integers(-4, 5, size=2)
    return moved(image, *move), moved(mask, *move)


def shifted_first(image, mask, rng):
    down, right = rng.integers(0, 9), rng.integers(0, 9)
    rows = np.clip(np.arange(image.shape[0]) + down - 4, 0, image.shape[0] - 1)
    columns = np.clip(np.arange(image.shape[1]) + right - 4, 0, image.shape[1] - 1)
    both = [array[rows][:, columns] for array in (image, mask)]
    return [np.fliplr(array) for array in both] if rng.choice([True, False]) else both


def by_scipy(image, mask, rng):
    down, right = rng.choice(np.arange(-4, 5), 2)
    image = ndimage.shift(image, (down, right, 0), order=0, mode="nearest")
    mask = ndimage.shift(mask, (down, right), order=0, mode="nearest")
    return (image[:, ::-1], mask[:, ::-1]) if rng.uniform() > 0.5 else (image, mask)


def augment_with(of_mask=None, chance=0.5, low=-4, high=5, mode="edge", end=None, draw=None):
    """An augmentation with a fault; `of_mask` turns the move of the image into the mask's."""

    def answer(image, mask, rng):
        move = rng.random() < chance, *rng.integers(low, high, size=2)
        move = draw(rng, move) if draw else move
        theirs = of_mask(rng, *move) if of_mask else move
        result = moved(image, *move, mode), moved(mask, *theirs, mode)
        return end(*result) if end else result

    return answer


def in_place(image, mask, rng):
    image[:] = image[:, ::-1]
    return augment(image, mask, rng)


def upside_down(image, mask, rng):
    image, mask = augment(image, mask, rng)
    return (image[::-1], mask[::-1]) if rng.random() < 0.5 else (image, mask)


def block(
    up="transposed",
    join="concatenate",
    axis=-1,
    kernel=3,
    padding="same",
    activation="relu",
    strides=2,
    up_padding="same",
    up_relu=None,
    first=False,
    conv=True,
    channels=lambda filters: filters,
    size=3,
    norm=False,
):
    """A block whose parts can be replaced by wrong ones."""

    def answer(x, skip, filters):
        if first and skip is not None:
            x = layers.Concatenate(axis=axis)([x, skip])
        if up == "transposed":
            x = layers.Conv2DTranspose(filters, size, strides, up_padding, activation=up_relu)(x)
        else:
            x = layers.UpSampling2D(strides, interpolation=up)(x)
        if skip is not None and not first and join:
            x = layers.Add()([x, skip]) if join == "add" else layers.concatenate([x, skip], axis)
        if conv:
            x = layers.Conv2D(channels(filters), kernel, padding=padding)(x)
        x = layers.BatchNormalization(momentum=0.9)(x) if norm else x
        return layers.Activation(activation)(x) if activation else x

    return answer


def preactivated(x, skip, filters):
    x = layers.Conv2DTranspose(2 * filters, 2, strides=2, padding="same")(x)
    if skip is not None:
        x = ops.concatenate([skip, x], axis=3)
    for _ in range(2):
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2D(filters, (3, 3), padding="same", use_bias=False)(x)
    return x


def shared():
    made = {}

    def answer(x, skip, filters):
        key = None if skip is None else skip.shape[-1]
        if key not in made:
            made[key] = layers.Conv2D(filters, 3, padding="same", activation="relu")
        x = layers.UpSampling2D()(x)
        return made[key](x if skip is None else layers.Concatenate()([x, skip]))

    return answer


def always_joined(x, skip, filters):
    x = layers.Concatenate()([layers.UpSampling2D()(x), skip])
    return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)


def only_skip(x, skip, filters):
    x = layers.UpSampling2D()(x) if skip is None else skip
    return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)


def scored(known, of=lambda classes: range(classes), stop=False, fill=np.nan):
    """IoU as students write it: classes `of`, where `known(a, b)`; `stop`: return in the loop."""

    def iou(truth, predicted, classes):
        scores = np.full(classes, fill)
        for k in of(classes):
            a, b = truth == k, predicted == k
            if known(a, b):
                scores[k] = np.sum(a & b) / np.sum(a | b)
            if stop:
                return scores
        return scores

    return iou


def united(a, b):
    return (a | b).any()


def without_brackets(truth, predicted, classes):
    scores = np.full(classes, np.nan)
    for k in range(classes):
        a, b = truth == k, predicted == k
        scores[k] = a & b / a | b
    return scores


def without_sum(truth, predicted, classes):
    scores = np.full(classes, np.nan)
    for k in range(classes):
        a, b = truth == k, predicted == k
        scores[k] = (a & b) / (a | b)
    return scores


def dice_where_met(truth, predicted, classes):
    scores = np.full(classes, np.nan)
    for k in range(classes):
        a, b = truth == k, predicted == k
        if np.sum(a & b) > 0:
            scores[k] = 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))
    return scores


def dice_of_added_masks(truth, predicted, classes):
    scores = np.full(classes, np.nan)
    for k in range(classes):
        a, b = truth == k, predicted == k
        if (a | b).any():
            scores[k] = 2 * np.sum(a & b) / np.sum(a + b)
    return scores


def cut_from(row, flip=lambda array: array[:, ::-1]):
    """An augmentation that cuts from row `row(down)` on."""

    def augment(image, mask, rng):
        h, w = mask.shape
        mirror, (down, right) = rng.random() < 0.5, rng.integers(-4, 5, size=2)
        image = np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="edge")
        mask = np.pad(mask, 4, mode="edge")
        top, left = row(down), row(right)
        image, mask = (a[top : top + h, left : left + w] for a in (image, mask))
        return (flip(image), mask[:, ::-1]) if mirror else (image, mask)

    return augment


def steps(up, join):
    """A decoder block of the three steps, the first two as they are given."""

    def decoder_block(x, skip, filters):
        x = up(x, filters)
        if skip is not None:
            x = join(x, skip)
        return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)

    return decoder_block


def doubled(x, filters, size=2):
    return layers.Conv2DTranspose(filters, size, strides=2, padding="same")(x)


def joined(x, skip):
    return layers.Concatenate()([x, skip])


def only_joined_convolved(up):
    def decoder_block(x, skip, filters):
        x = up(x, filters)
        if skip is not None:
            x = joined(x, skip)
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        return x

    return decoder_block


def weights_of(formula, fill=0.0):
    def class_weights(masks, classes):
        weights = np.full(classes, fill)
        for k in range(classes):
            count = np.sum(masks == k)
            if count:
                weights[k] = formula(masks.size, classes, count)
        return weights

    return class_weights


RIGHT = {
    check.transposed_convolution: [
        stamps,
        by_zeros,
        by_lists,
        lambda *case: ops.array(by_zeros(*case)),
    ],
    check.iou: [overlap(), iou_by_confusion, iou_by_tensor, iou_by_loops],
    check.dice: [as_dice(), dice_by_confusion, lambda *case: 2 / (1 + 1 / overlap()(*case))],
    check.augment: [augment, shifted_first, by_scipy],
    check.decoder_block: [
        block(),
        block(size=2, norm=True),
        block(up="nearest", activation="elu"),
        block(up="bilinear", kernel=(3, 3), activation="gelu"),
        preactivated,
    ],
    check.class_weights: [weights, weights_by_loop, lambda m, c: ops.array(weights(m, c))],
}

WRONG = {
    check.transposed_convolution: [
        (stamps_with(put=lambda old, new: new), "keeps one of them"),
        (stamps_with(put=np.maximum), "keeps one of them"),
        (lambda x, k, s: stamps(x, k, 1), "stride has no effect"),
        (stamps_with(step=lambda s: 1), "right size, but the stamps"),
        (stamps_with(size=lambda n, k, s: n * s), "does not fit"),
        (
            lambda x, k, s: np.pad(stamps(x, k, s), s)[s:, s:][: len(x) * s, : x.shape[1] * s],
            "ends too early",
        ),
        (lambda x, k, s: signal.correlate2d(x, k, "same"), "ordinary convolution"),
        (lambda x, k, s: signal.correlate2d(np.pad(x, len(k)), k, "valid")[::s, ::s], "just fits"),
        (lambda x, k, s: stamps(x, k[::-1, ::-1], s), "flipped"),
        (lambda x, k, s: stamps(x, k.T, s), "kernel have changed"),
        (lambda x, k, s: stamps(x.T, k, s).T[::-1], "pixel `["),
        (lambda x, k, s: stamps(x.T, k, s), "row j and column i"),
        (stamps_with(dtype=None), "whole numbers"),
        (added_in_place, "holds whole numbers, so the fractions are lost. `np.zeros(shape)` makes"),
        (stamps_with(rows=lambda h, w: h), "one side of the image"),
        (stamps_with(rows=min), "one side of the image"),
        (lambda x, k, s: stamps(x * (np.arange(len(x)) < 1)[:, None], k, s), "inside a loop"),
        (lambda x, k, s: 2 * stamps(x, k, s), "compare"),
        (lambda x, k, s: np.nan * stamps(x, k, s), "NaN"),
        (lambda x, k, s: np.kron(x, k), "just fits"),
    ],
    check.iou: [
        (overlap(absent=0), "the worst score"),
        (overlap(absent=1), "a perfect score"),
        (python_division, "You divide by 0"),
        (
            lambda t, p, n: [np.sum((t == c) and (p == c)) for c in range(n)],
            "`&` answers for each pixel",
        ),
        (overlap(below=lambda i, t, p: t + p), "counted twice"),
        (overlap(below=lambda i, t, p: t + p, absent=0), "the worst score"),
        (overlap(below=lambda i, t, p: t), "recall"),
        (overlap(below=lambda i, t, p: p, absent=0), "precision"),
        (as_dice(), "This is Dice"),
        (lambda t, p, n: np.mean(t == p), "accuracy"),
        (lambda *case: np.nanmean(overlap()(*case)), "One number came back"),
        (overlap(per_image=True), "each image"),
        (overlap(first=1), "first class is missing"),
        (lambda *case: 1 - overlap()(*case), "1 minus"),
        (lambda *case: 100 * overlap()(*case), "percentages"),
        (lambda t, p, n: overlap()(t, p, t.max() + 1), "classes"),
        (lambda *case: overlap()(*case).astype(int), "fractions cut off"),
        (overlap(absent=None), "`None` among"),
        (lambda *case: overlap()(*case) ** 2, "pixels in the truth"),
        (scored(united, lambda n: range(1, n)), "first class is missing"),
        (scored(united, stop=True), "Does the `return` stand inside the loop"),
        (
            scored(lambda a, b: a.any()),
            "Class 1 is NaN, but it is in the prediction: NaN is only for a class that is in "
            "neither; its score is 0.",
        ),
        (scored(lambda a, b: b.any()), "Class 2 is NaN, but it is in the truth"),
        (scored(lambda a, b: np.sum(a & b) > 0), "its score is 0."),
        (scored(united, lambda n: range(n - 1)), "Class 1 is NaN, but it is in the truth"),
        (without_brackets, "`/` comes before `&`"),
        (without_sum, "`np.sum(a & b)`"),
        (lambda t, p, n: overlap()(np.ones((2, 9), int) + t, p, n), "`(h, w)` or `(n, h, w)`"),
    ],
    check.dice: [
        (as_dice(above=lambda i, t, p: i), "factor 2 is missing"),
        (overlap(), "This is IoU"),
        (as_dice(below=lambda i, t, p: t + p - i), "divide by the union"),
        (dice_of_added_masks, "count each area by itself"),
        (as_dice(absent=0), "the worst score"),
        (dice_where_met, "is NaN, but it is in the prediction"),
        (as_dice(per_image=True), "each image"),
        (lambda *case: np.nanmean(as_dice()(*case)), "One number came back"),
    ],
    check.augment: [
        (augment_with(lambda rng, *move: rng.integers(-4, 5, 3)), "numbers of their own"),
        (augment_with(lambda rng, f, *shift: (rng.random() < 0.5, *shift)), "decide twice"),
        (augment_with(lambda rng, f, *shift: (f, *rng.integers(-4, 5, 2))), "of their own"),
        (augment_with(lambda rng, *move: (0, 0, 0)), "mask stays where it was"),
        (augment_with(lambda rng, f, *shift: (0, *shift)), "mask never is"),
        (augment_with(lambda rng, f, *shift: (f, 0, 0)), "image is shifted, the mask"),
        (lambda image, mask, rng: (image, augment(image, mask, rng)[1]), "comes back as it was"),
        (upside_down, "upside down"),
        (augment_with(mode="wrap"), "np.roll"),
        (augment_with(mode="constant"), "zeros come in"),
        (augment_with(mode="reflect"), "mirror image"),
        (in_place, "in place"),
        (augment_with(high=4), "`rng.integers(-4, 4)` never draws 4"),
        (
            augment_with(draw=lambda rng, m: (m[0], *rng.uniform(-4, 5, 2).astype(int))),
            "One end is missing: for example",
        ),
        (augment_with(low=0), "one direction only"),
        (augment_with(high=4), "8 shifts up or down"),
        (cut_from(lambda n: n), "begins at row 4"),
        (cut_from(lambda n: 4 + n, np.flip), "color channels are reversed"),
        (cut_from(lambda n: 4 + n, lambda a: a[:, :, ::-1]), "color channels are reversed"),
        (augment_with(low=-5, high=6), "asked for: -4 to 4"),
        (augment_with(low=-2, high=3), "asked for: -4 to 4"),
        (augment_with(draw=lambda rng, m: (m[0], m[1], m[1])), "for each direction"),
        (augment_with(draw=lambda rng, m: (m[0], 0, m[1])), "never shifted up or"),
        (
            augment_with(draw=lambda rng, m: (m[0], *np.rint(rng.uniform(-4, 4, 2)).astype(int))),
            "the same probability",
        ),
        (
            augment_with(draw=lambda rng, m: (m[0], *np.clip(rng.integers(-6, 7, 2), -4, 4))),
            "the same probability",
        ),
        (augment_with(chance=2), "mirrored in 320 of 320"),
        (augment_with(chance=-1), "mirrored in 0 of 320"),
        (augment_with(chance=0.1), "about half"),
        (lambda i, m, rng: augment(i, m, np.random.default_rng()), "same state"),
        (lambda i, m, rng: augment(i, m, np.random.default_rng(3)), "with different generators"),
        (augment_with(end=lambda i, m: (i, m / 2)), "interpolated"),
        (augment_with(end=lambda i, m: (np.repeat(i, 3, axis=2), m)), "axis of the channels"),
        (augment_with(end=lambda i, m: (i[:-1], m[:-1])), "A piece is missing"),
        (augment_with(end=lambda i, m: (i.transpose(1, 0, 2), m)), "rows come first"),
        (augment_with(end=lambda i, m: (m, i)), "image first"),
        (augment_with(end=lambda i, m: i), "two arrays"),
        (augment_with(end=lambda i, m: (i, m.astype(float))), "type float64"),
    ],
    check.decoder_block: [
        (block(join="add"), "Is it added"),
        (block(axis=1), "lies below or beside"),
        (block(axis=0), "along the batch"),
        (block(first=True), "before `x` is enlarged"),
        (block(join=None), "skip has no effect"),
        (only_skip, "`x` has no effect"),
        (block(activation=None), "is linear"),
        (block(activation=None, up_relu="relu"), "skip passes no activation"),
        (block(up_padding="valid"), "little more than twice"),
        (
            steps(lambda x, f: layers.Conv2DTranspose(2, f, strides=2)(x), joined),
            "kernel is its second argument",
        ),
        (block(padding="valid"), "little less than twice"),
        (block(strides=1), "not enlarged"),
        (steps(lambda x, f: layers.Conv2DTranspose(f, 2)(x), joined), "that takes `strides=2`"),
        (
            lambda x, skip, f: steps(lambda x, f: x, joined)(x, None, f),
            "called on the result",
        ),
        (steps(lambda x, f: layers.Conv2DTranspose(f, 2, strides=2), joined), "the layer on x"),
        (steps(doubled, lambda x, skip: layers.Concatenate()), "the layer on x"),
        (steps(doubled, lambda x, skip: layers.Concatenate()(x, skip)), "one list"),
        (steps(doubled, lambda x, skip: layers.concatenate(x, skip)), "one list"),
        (block(strides=4), "twice as high"),
        (block(conv=False), "concatenation itself"),
        (block(channels=lambda f: 2 * f), "how many"),
        (block(kernel=1), "all neighbors"),
        (block(kernel=2), "all neighbors"),
        (only_joined_convolved(doubled), "no 3 x 3 convolution"),
        (only_joined_convolved(lambda x, f: doubled(x, f, 3)), "no 3 x 3 convolution"),
        (only_joined_convolved(lambda x, f: doubled(x, f, 4)), "is linear"),
        (shared(), "same weights"),
        (always_joined, "without one (`skip=None`)"),
        (
            lambda x, skip, filters: block()(x, skip if skip else None, filters),
            "neither true nor false",
        ),
        (lambda x, skip, filters: layers.Conv2D(filters, 3, padding="same"), "returned a layer"),
        (lambda x, skip, filters: [x, skip], "one tensor is expected"),
        (lambda x, skip, filters: x + "a", "stopped with an error"),
        (3, "A function is expected"),
    ],
    check.class_weights: [
        (lambda m, c: count(m, c) / m.size, "frequencies"),
        (scaled(lambda m, c, n: m.size), "number of classes, too"),
        (scaled(lambda m, c, n: 1), "divide 1 by"),
        (lambda m, c: (w := weights(m, c)) / w.sum(), "add up to 1"),
        (scaled(lambda m, c, n: len(m) / c), "times as large"),
        (scaled(lambda m, c, n: m.size / np.sum(n > 0)), "classes that occur"),
        (scaled(lambda m, c, n: 3 * m.size), "times as large"),
        (by_image, "each image by itself"),
        (weights_of(lambda pixels, n, count: pixels / n * count), "`(a / b) * c`"),
        (weights_of(lambda pixels, n, count: pixels // n * count), "`(a / b) * c`"),
        (weights_of(lambda pixels, n, count: pixels // (n * count)), "not with `//`"),
        (weights_of(lambda pixels, n, count: pixels / (n * count), 0), "not with `//`"),
        (lambda m, c: m.size / c / count(m, c), "your division"),
        (lambda m, c: np.where(count(m, c), weights(m, c), np.nan), "your division"),
        (lambda m, c: m.size / c / np.maximum(count(m, c), 1), "your division"),
        (lambda m, c: m.size / c / (count(m, c) + 1e-7), "your division"),
        (lambda m, c: m.size / c / np.bincount(m.ravel()), "shorter"),
        (lambda m, c: weights(m, c)[::-1], "wrong order"),
        (lambda m, c: weights(m, c)[m], "for each *pixel*"),
        (lambda m, c: weights(m, c) + 1, "the classes have"),
        (lambda m, c: [m.size / (c * int(n)) for n in count(m, c)], "divide by 0"),
        (lambda m, c: np.bincount(m, minlength=c), "is one row"),
    ],
}

CLASSES = ["animal", "background", "border"]
WITH, WITHOUT = np.array([0.8, 0.9, 0.45]), np.array([0.7, 0.85, 0.1])


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


def test_the_score_is_the_one_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 4, (2, 50))
    for name, theirs in [("iou", metrics.jaccard_score), ("dice", metrics.f1_score)]:
        ours = check._score(name, np.nan, truth, predicted, 4)
        np.testing.assert_allclose(ours, theirs(truth, predicted, average=None))


def test_suffers_compares_the_prediction_with_the_scores():
    check.suffers("border", WITH, WITHOUT, CLASSES)
    check.suffers(" Border", list(WITH), [0.7, np.nan, 0.1], CLASSES)
    check.suffers("animal", WITH, WITH - [0.345, 0, 0.35], CLASSES)  # as good as the same
    fails(check.suffers, None, WITH, WITHOUT, CLASSES, match="no value", kind=NotAttempted)
    for wrong, phrase in [
        ("animal", "`animal` falls from 0.80 to 0.70; `border` falls from 0.45 to 0.10"),
        ("dog", "one of the names 'animal'"),
        (2, "one of the names"),
    ]:
        fails(check.suffers, wrong, WITH, WITHOUT, CLASSES, match=re.escape(phrase))
    fails(check.suffers, "border", WITHOUT, WITH, CLASSES, match="no class loses")
    lost = WITH - [0.3, 0, 0.1]
    fails(
        check.suffers,
        "background",
        WITH,
        lost,
        CLASSES,
        match=r"`animal` loses most in this run\.$",
    )


def test_what_a_library_raised_is_not_quoted_as_the_line_of_the_student():
    answer = steps(doubled, lambda x, skip: layers.Concatenate()(x, skip))
    with pytest.raises(CheckFailed) as raised:
        check.decoder_block(answer)
    assert "raise " not in str(raised.value)


def test_the_score_card_follows_the_exercises():
    titles = list(check.lab.status)[:7]
    words = ["IoU", "Dice", "transposed", "decoder", "augmentation", "suffers", "weights"]
    assert all(word in title for word, title in zip(words, titles, strict=True))


def test_every_check_answers_at_once():
    check.decoder_block(block())  # Keras compiles at its first call
    for test, arguments in [
        *((test, right[:1]) for test, right in RIGHT.items()),
        *((test, pair[:1]) for test, pairs in WRONG.items() for pair in pairs[::7]),
        (check.suffers, ("border", WITH, WITHOUT, CLASSES)),
    ]:
        at_once(test, *arguments)
