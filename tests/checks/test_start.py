"""The checks of lab 00 against right, blank and wrong answers."""

import time

import numpy as np
import pytest
from failing import AT_ONCE, blank

from helpers.checks import start as check
from helpers.checks.core import CheckFailed, NotAttempted

PHOTO = np.random.default_rng(3).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def red_by_loop(image):
    result = np.zeros(image.shape, dtype=np.uint8)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            result[row, column, 0] = image[row, column, 0]
    return result


def red_in_place(image):
    image[..., 1:] = 0
    return image


def kept(image, *planes):
    result = image.copy()
    for plane in planes:
        result[..., plane] = 0
    return result


def brighten_by_where(image, amount):
    total = image.astype("int16") + amount
    total = np.where(total > 255, 255, np.where(total < 0, 0, total))
    return total.astype("uint8")


def stack_planes(image):
    return np.stack([image[..., 0], image[..., 1], image[..., 2]])


RIGHT = {
    check.double: [lambda x: 2 * x, lambda x: x + x, lambda x: np.multiply(x, 2.0)],
    check.only_red: [red_by_loop, lambda x: kept(x, 1, 2), lambda x: x * np.array([1, 0, 0])],
    check.brighten: [
        brighten_by_where,
        lambda x, a: np.clip(x.astype(float) + a, 0, 255).astype(np.uint8),
        lambda x, a: np.minimum(np.maximum(np.int32(x) + a, 0), 255).astype("uint8"),
    ],
    check.to_unit: [
        lambda x: x.astype("float32") / 255,
        lambda x: np.float32(x / 255.0),
        lambda x: np.multiply(x, np.float32(1 / 255), dtype=np.float32),
    ],
    check.channels_first: [
        stack_planes,
        lambda x: np.transpose(x, (2, 0, 1)),
        lambda x: np.moveaxis(x, 2, 0),
    ],
    check.to_gray: [
        lambda x: 0.299 * x[..., 0] + 0.587 * x[..., 1] + 0.114 * x[..., 2],
        lambda x: np.sum(x * np.array([0.299, 0.587, 0.114]), axis=-1),
        lambda x: np.dot(x.astype("float32"), np.float32([0.299, 0.587, 0.114])),
    ],
}

WRONG = [
    (check.double, lambda x: x**2, "squared"),
    (check.double, lambda x: x * x, "by itself, not by two"),
    (check.double, lambda x: x + 2, "added two"),
    (check.double, lambda x: x, "itself"),
    (check.double, lambda x: x / 2, "halved"),
    (check.double, lambda x: print(end=""), "return"),
    (check.double, 6, "A function is expected"),
    (check.only_red, lambda x: kept(x, 0, 1), "kept blue"),
    (check.only_red, lambda x: kept(x, 0), "wrong way round"),
    (check.only_red, lambda x: x[..., 0], "one plane"),
    (check.only_red, lambda x: x[0], "first row"),
    (check.only_red, lambda x: x, "Green and blue are still there"),
    (check.only_red, red_in_place, "in place"),
    (check.only_red, lambda x: kept(x, 1), "Blue is still there"),
    (check.only_red, lambda x: kept(x, 2), "Green is still there"),
    (check.only_red, lambda x: np.concatenate([x[:, :1], 0 * x[:, 1:]], axis=1), "first column"),
    (check.only_red, lambda x: kept(x, 1, 2).astype(float), "fractions"),
    (check.brighten, lambda x, a: x + a, "wrapped round"),
    (check.brighten, lambda x, a: np.clip(x + a, 0, 255), "wrapped round"),
    (check.brighten, lambda x, a: x.astype(int) + a, "above 255"),
    (check.brighten, lambda x, a: np.minimum(x.astype(int) + a, 255), "below 0"),
    (check.brighten, lambda x, a: np.clip(x.astype(int) + a, 0, 255), "not `uint8`"),
    (check.brighten, lambda x, a: (x.astype(int) + a).astype("uint8"), "turned into `uint8`"),
    (check.brighten, lambda x, a: np.clip(x.astype(int) + a, 0, 256), "not 256"),
    (check.brighten, lambda x, a: np.clip(x.astype(int) - a, 0, 255), "darker"),
    (check.brighten, lambda x, a: np.clip(x.astype(int) + a, 0, 255).tolist(), "`list`"),
    (check.brighten, lambda x, a: np.clip(x.astype(int) + 100, 0, 255).astype("uint8"), "expected"),
    (check.to_unit, lambda x: x // 255, "fraction"),
    (check.to_unit, lambda x: x / 256, "255"),
    (check.to_unit, lambda x: x.astype("float32"), "still go up to 255"),
    (check.to_unit, lambda x: x / x.max(), "own maximum"),
    (check.to_unit, lambda x: x / 255, "float32"),
    (check.to_unit, lambda x: (x / 255).astype("uint8"), "no fractions"),
    (check.to_unit, lambda x: (x / 255).astype("float16"), "`float16`"),
    (check.to_unit, lambda x: (x / 255).tolist(), "`list`"),
    (check.channels_first, lambda x: x.reshape(3, *x.shape[:2]), "destroyed"),
    (check.channels_first, lambda x: x.T, "Rows and columns"),
    (check.channels_first, lambda x: np.swapaxes(x, 0, 2), "Rows and columns"),
    (check.channels_first, lambda x: np.moveaxis(x, 0, -1), "to the front"),
    (check.channels_first, lambda x: np.moveaxis(x, -1, 0)[::-1], "reversed"),
    (check.channels_first, lambda x: x, "still the last axis"),
    (check.channels_first, lambda x: x[..., 0], "shape"),
    (check.to_gray, lambda x: x.mean(-1), "plain mean"),
    (check.to_gray, lambda x: x @ [0.114, 0.587, 0.299], "wrong order"),
    (check.to_gray, lambda x: x * [0.299, 0.587, 0.114], "did not add"),
    (check.to_gray, lambda x: (x @ [0.299, 0.587, 0.114])[..., None], "last axis"),
    (check.to_gray, lambda x: (x @ [0.299, 0.587, 0.114]).astype("uint8"), "fractions"),
    (check.to_gray, lambda x: np.round(x @ [0.299, 0.587, 0.114]), "rounded"),
    (check.to_gray, lambda x: x.sum(-1), "without their weights"),
    (check.to_gray, lambda x: (x * [0.299, 0.587, 0.114]).sum(axis=0), "axis=-1"),
    (check.to_gray, lambda x: (x[..., 0] + x[..., 1] + x[..., 2]) / 3, "wrapped round"),
    (check.to_gray, lambda x: 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2], "rows of pixels"),
]


@pytest.mark.parametrize(
    ("test", "answer"), [(test, answer) for test, answers in RIGHT.items() for answer in answers]
)
def test_right_answers_pass_quickly(test, answer):
    begin = time.process_time()
    test(answer)
    assert time.process_time() - begin < AT_ONCE


@pytest.mark.parametrize("test", RIGHT)
@pytest.mark.parametrize("nothing", [None, ..., blank])
def test_blanks_are_not_attempted(test, nothing):
    with pytest.raises(NotAttempted):
        test(nothing)


@pytest.mark.parametrize(("test", "answer", "message"), WRONG)
def test_wrong_answers_are_told_why(test, answer, message):
    with pytest.raises(CheckFailed, match=message) as caught:
        test(answer)
    assert not isinstance(caught.value, NotAttempted)


def test_image_size():
    check.image_size(4, 6, 3, PHOTO)
    check.image_size(np.int64(4), len(PHOTO[0]), PHOTO.shape[-1], PHOTO)
    with pytest.raises(NotAttempted):
        check.image_size(None, None, None, PHOTO)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((6, 4, 3), "swapped height and width"),
        ((4, 6, 1), "photo.shape"),
        ((3, 4, 6), "photo.shape"),
        (("4", 6, 3), "one whole number"),
        (((4, 6), 6, 3), "one whole number"),
    ],
)
def test_image_size_wrong(answer, message):
    with pytest.raises(CheckFailed, match=message):
        check.image_size(*answer, PHOTO)


def test_wraparound():
    measured = np.add(np.array(200, np.uint8), np.array(100, np.uint8))
    check.wraparound(44, measured)
    check.wraparound(44.0, measured)
    check.wraparound(np.uint8(44), measured)
    check.wraparound([44], measured)
    check.wraparound(np.array([44]), measured)
    with pytest.raises(NotAttempted):
        check.wraparound(None, measured)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (300, "nine bits"),
        (255, "doesn't stop"),
        (45, "Nearly"),
        (-56, "55 steps"),
        ("44", "one number"),
        ([300], "nine bits"),
        ([44, 44], "one number"),
    ],
)
def test_wraparound_wrong(answer, message):
    with pytest.raises(CheckFailed, match=message):
        check.wraparound(answer, 44)
