"""Checks of lab 00: how an exercise works, and pictures as arrays of numbers."""

import numpy as np

from .core import CheckFailed, Lab, call, describe, to_numpy

lab = Lab("00 Start here")
reached = lab.reached
score_card = lab.score_card

# ITU-R Recommendation BT.601-7, section 2.5.1: luma from gamma-corrected red, green and blue.
LUMA = np.array([0.299, 0.587, 0.114])


@lab.check("double a number")
def double(answer):
    for x in (3, 0, -1.5):
        call(answer, x).equals(
            2 * x,
            wrong=[
                (x, "You return the number itself: multiply it by two first."),
                (x**2, "You squared the number: you multiplied it by itself, not by two."),
                (x + 2, "You added two. Doubling is multiplication: `*`."),
                (x / 2, "You halved the number: `/` divides."),
            ],
        )
    call(answer, np.array([1.0, 2.0])).equals([2.0, 4.0])
    return "It doubles numbers, and whole arrays at once: NumPy multiplies every element."


@lab.check("read a shape")
def image_size(height, width, channels, image):
    shape = np.shape(image)
    given = []
    for name, value in [("height", height), ("width", width), ("channels", channels)]:
        array = to_numpy(value)
        if array is None or array.shape != () or array.dtype.kind not in "iu":
            raise CheckFailed(f"`{name}` must be one whole number; it is {describe(value)}.")
        given.append(int(array))
    if tuple(given) == shape:
        return f"{shape[0]} rows, {shape[1]} columns, {shape[2]} numbers in each pixel."
    if tuple(given) == (shape[1], shape[0], shape[2]):
        raise CheckFailed(
            "You swapped height and width. An array counts its rows first, so the first number of "
            "the shape is the height, although screens are named with their width first."
        )
    raise CheckFailed(f"You answered {tuple(given)}. Print `photo.shape` and read it in order.")


@lab.check("keep only the red")
def only_red(answer):
    image = np.random.default_rng(0).integers(1, 256, (3, 4, 3), dtype=np.uint8)

    def kept(*index):
        result = np.zeros_like(image)
        result[index] = image[index]
        return result

    every = slice(None)
    result = call(answer, image)
    result.equals(
        kept(..., 0),
        wrong=[
            (kept(..., 2), "You kept blue: the order is red, green, blue; red has the index 0."),
            (kept(..., 1), "You kept green: the order is red, green, blue; red has the index 0."),
            (kept(..., slice(1, 3)), "You removed the red and kept the rest: the wrong way round."),
            (kept(..., [0, 2]), "Blue is still there: it has the index 2 on the last axis."),
            (kept(..., [0, 1]), "Green is still there: it has the index 1 on the last axis."),
            (image, "Green and blue are still there: set them to zero (in a copy)."),
            (image[..., 0], "This is one plane, (h, w). Keep three planes, two of them zero."),
            (image[0], "`image[0]` is the first row of pixels. The color is the last index."),
            (kept(0), "This keeps the first row of pixels. The color is the last index."),
            (kept(every, 0), "This keeps the first column of pixels. The color is the last index."),
        ],
    )
    kind = result.array().dtype
    if kind.kind == "f":
        raise CheckFailed(
            f"The values are right, but their type is `{kind}`, and a picture of fractions is "
            "drawn as if it went from 0 to 1. Keep the type of the image: begin with its copy."
        )
    return "Red stays, green and blue are zero, and the original is untouched."


@lab.check("predict 200 + 100")
def wraparound(prediction, measured):
    array = to_numpy(prediction)
    if array is None or array.size != 1 or array.dtype.kind not in "iuf":
        raise CheckFailed(f"Answer with one number; this is {describe(prediction)}.")
    array = array.reshape(())
    if array == measured:
        return f"{int(measured)}: the numbers run out at 255 and start again at 0."
    if array == 300:
        raise CheckFailed("300 needs nine bits. A `uint8` has eight: its largest value is 255.")
    if array == 255:
        raise CheckFailed(
            "It would be good if it stopped at 255, but `uint8` doesn't stop. "
            "After 255 it starts again, like a clock after 12."
        )
    if array == 45:
        raise CheckFailed("Nearly: after 255 comes 0, and 0 is a step of its own.")
    raise CheckFailed(f"Not {array}. Count on from 200: 255 is reached after 55 steps; and then?")


@lab.check("brighten a picture")
def brighten(answer):
    image = np.array([[[0, 100, 155], [156, 200, 255]]], dtype=np.uint8)
    wide = image.astype(int)
    wrapped = (
        "Some values wrapped round past 255 (or below 0). That happens where a sum is made in "
        "`uint8`, and where a number outside 0-255 is turned into `uint8`. Add as `int`, then "
        "clip, and convert back last."
    )
    result = call(answer, image, 100)
    result.equals(
        np.clip(wide + 100, 0, 255),
        wrong=[
            (image + np.uint8(100), wrapped),
            (wide + 100, "Some values are above 255: cut them off."),
            (np.clip(wide + 100, 0, 256), "The largest value of a `uint8` is 255, not 256."),
            (np.clip(wide + 100, 0, 256).astype("uint8"), "Clip at 255, not at 256."),
            (np.clip(wide - 100, 0, 255), "The picture became darker: add the amount."),
            (np.full_like(image, 255), "Every pixel is white: are the bounds of the clip swapped?"),
            (np.zeros_like(image), "Every pixel is black: are the bounds of the clip swapped?"),
        ],
    )
    call(answer, image, -100).equals(
        np.clip(wide - 100, 0, 255),
        wrong=[
            ((wide - 100).astype(np.uint8), wrapped),
            (wide - 100, "Values fall below 0 when the amount is negative: clip there too."),
        ],
    )
    _require_type(result, np.uint8, "convert back, so that a picture comes out as it came in.")
    return "Values stop at 0 and at 255, and the picture stays a `uint8` picture."


@lab.check("scale to 0-1")
def to_unit(answer):
    image = np.array([[[0, 51, 255], [102, 204, 153]]], dtype=np.uint8)
    result = call(answer, image)
    array = result.array(shape=image.shape)
    if array.dtype.kind in "iu" and array.max() <= 1:
        raise CheckFailed(
            f"The result is of type `{array.dtype}`, which has no fractions. Divide with `/` (`//` "
            "throws the fraction away) and convert to `float32` after the division."
        )
    if array.dtype == np.float16:
        _require_type(result, np.float32, "networks compute with `float32`.")
    result.equals(
        image / 255,
        wrong=[
            (image // 255, "`//` divides and throws the fraction away."),
            (image / 256, "Divide by the largest value, 255, not by the number of values, 256."),
            (image / 100, "The largest value is 255, not 100."),
            (image, "The values still go up to 255: divide by it."),
            (np.round(image / 255), "The fractions are gone. Keep them: no rounding."),
        ],
    )
    dark = np.array([[[0, 10, 20]]], dtype=np.uint8)
    call(answer, dark).equals(
        dark / 255,
        wrong=[
            (
                dark / 20,
                "You divide by this picture's own maximum, so a dark picture becomes bright. "
                "Divide every picture by the same number, 255.",
            ),
        ],
    )
    _require_type(result, np.float32, "that is what networks compute with, in half the memory.")
    return "Values from 0 to 1, as `float32`."


@lab.check("channels first")
def channels_first(answer):
    image = np.random.default_rng(2).integers(0, 256, (2, 4, 3), dtype=np.uint8)
    right = np.moveaxis(image, -1, 0)
    turned = (
        "Rows and columns have changed places too, as with `.T`: (3, w, h). Only the color moves."
    )
    call(answer, image).equals(
        right,
        wrong=[
            (
                image.reshape(3, 2, 4),
                "The shape is right and the picture is destroyed: `reshape` keeps the numbers in "
                "their old order and cuts them elsewhere. You need to move an axis.",
            ),
            (image.T, turned),
            (right[::-1], "The order of the colors is reversed: red has to come first."),
            (right[:, ::-1], "The picture stands on its head: keep the order of the rows."),
            (image, "The color is still the last axis."),
            (
                np.moveaxis(image, 0, -1),
                "You moved the first axis to the end, not the last one to the front.",
            ),
        ],
    )
    return "(h, w, 3) became (3, h, w), and every pixel is where it belongs."


@lab.check("gray from color")
def to_gray(answer):
    image = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    right = image @ LUMA
    axis = "You summed over rows or columns. The colors are on the last axis: `axis=-1`."
    wrapped = "The sum of the colors wrapped round in `uint8`: weights with fractions prevent that."
    planes = np.moveaxis(image, -1, 0)
    call(answer, image).equals(
        right,
        tolerance=1e-5,
        wrong=[
            (image.mean(-1), "This is the plain mean: use the three weights."),
            (image.sum(-1), "You added the colors without their weights."),
            (image @ LUMA[::-1], "The weights are in the wrong order: red, green, blue."),
            (image * LUMA, "You weighted the planes but did not add them: sum over the last axis."),
            ((image * LUMA).mean(-1), "Add the weighted planes; the weights sum to 1 already."),
            ((image * LUMA).sum(0), axis),
            ((image * LUMA).sum(1), axis),
            (
                np.tensordot(LUMA, image[:3], 1),
                "The first index counts the rows of pixels. The color is the last index.",
            ),
            (image.mean(0), axis),
            (image.mean(1), axis),
            ((planes[0] + planes[1] + planes[2]) / 3, wrapped),
            (right[..., None], "Drop the last axis: the result has the shape (h, w)."),
            (right / 255, "Leave the values between 0 and 255: no division."),
            (np.trunc(right), "The fractions are cut off. Leave the result as floating point."),
            (np.round(right), "The fractions are rounded off. Leave the result as it is."),
        ],
    )
    return "A weighted sum over the last axis: (h, w, 3) becomes (h, w)."


def _require_type(result, dtype, why):
    wanted = np.dtype(dtype)
    if isinstance(result.value, list | tuple):
        raise CheckFailed(
            f"The values are right, but this is a `{type(result.value).__name__}`. Return an "
            f'array: `np.array(..., dtype="{wanted}")`.'
        )
    kind = to_numpy(result.value).dtype
    if kind != wanted:
        raise CheckFailed(
            f"The values are right, but their type is `{kind}`, not `{wanted}`: {why}"
        )
