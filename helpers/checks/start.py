"""Checks of lab 00: how an exercise works, and pictures as arrays of numbers."""

import numpy as np

from .core import Answer, CheckFailed, Lab, call, describe, to_numpy

lab = Lab("00 Start here")
reached = lab.reached
score_card = lab.score_card

# ITU-R Recommendation BT.601-7, section 2.5.1: luma from gamma-corrected red, green and blue.
LUMA = np.array([0.299, 0.587, 0.114])


@lab.check("doubling a number")
def double(answer):
    for x in (3, 0, -1.5):
        call(answer, x).equals(
            2 * x,
            wrong=[
                (x, "You return the number itself: multiply it by two first."),
                (x**2, "You squared the number. Doubling is `2 * x`; `**` is a power."),
                (x + 2, "You added two. Doubling is multiplication: `*`."),
                (x / 2, "You halved the number: use `*`, not `/`."),
            ],
        )
    call(answer, np.array([1.0, 2.0])).equals([2.0, 4.0])
    return "It doubles numbers, and whole arrays at once: NumPy multiplies every element."


@lab.check("reading a shape")
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
            "You swapped height and width. An array counts its rows first, so the first number "
            "of the shape is the height, although people say *640 by 480* with the width first."
        )
    raise CheckFailed(f"You answered {tuple(given)}. Print `photo.shape` and read it in order.")


@lab.check("scaling to 0-1")
def to_unit(answer):
    image = np.array([[[0, 51, 255], [102, 204, 153]]], dtype=np.uint8)
    result = call(answer, image)
    result.equals(
        image / 255,
        wrong=[
            (image // 255, "`//` divides and throws the fraction away. Use `/`."),
            (image / 256, "Divide by the largest value, 255, not by the number of values, 256."),
            (image / 100, "The largest value is 255, not 100."),
            (image.astype(float), "The values still go up to 255: divide by 255."),
            (np.round(image / 255), "The fractions are gone. Keep them: no rounding, no integers."),
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
    kind = to_numpy(result.value).dtype
    if kind != np.float32:
        raise CheckFailed(
            f"The values are right, but their type is `{kind}`. Ask for `float32`, the type that "
            "networks compute with: half the memory of `float64`."
        )
    return "Values from 0 to 1, as `float32`."


@lab.check("one color plane")
def only_red(answer):
    image = np.random.default_rng(0).integers(1, 256, (3, 4, 3), dtype=np.uint8)
    red, blue, cut = np.zeros_like(image), np.zeros_like(image), image.copy()
    red[..., 0], blue[..., 2], cut[..., 0] = image[..., 0], image[..., 2], 0
    row = np.zeros_like(image)
    row[0] = image[0]
    call(answer, image).equals(
        red,
        wrong=[
            (blue, "You kept blue: the order is red, green, blue, so red has the index 0."),
            (cut, "You removed the red and kept the rest. It is the other way round."),
            (
                image[..., 0],
                "This is one plane, (h, w). Keep three planes, two of them zero.",
            ),
            (image[0], "`image[0]` is the first row of pixels. The color is the last index."),
            (row, "This keeps the first row of pixels. The color is the last index: `[..., 0]`."),
            (image, "Green and blue are still there: set them to zero (in a copy)."),
        ],
    )
    return "Red stays, green and blue are zero, and the original is untouched."


@lab.check("what 200 + 100 is")
def wraparound(predicted, measured):
    array = to_numpy(predicted)
    if array is None or array.shape != ():
        raise CheckFailed(f"Answer with one number; this is {describe(predicted)}.")
    if int(array) == int(measured):
        return f"{int(measured)}: the numbers run out at 255 and start again at 0."
    if int(array) == 300:
        raise CheckFailed("300 needs nine bits. A `uint8` has eight: its largest value is 255.")
    if int(array) == 255:
        raise CheckFailed(
            "It would be good if it stopped at 255, but `uint8` doesn't stop. "
            "After 255 it starts again, like a clock after 12."
        )
    if int(array) == 45:
        raise CheckFailed("Nearly: after 255 comes 0, and 0 is a step of its own.")
    raise CheckFailed(f"Not {int(array)}. Count on from 200: 255 is reached after 55 steps; then?")


@lab.check("brightening")
def brighten(answer):
    image = np.array([[[0, 100, 155], [156, 200, 255]]], dtype=np.uint8)
    right = np.clip(image.astype(int) + 100, 0, 255)
    result = call(answer, image, 100)
    result.equals(
        right,
        wrong=[
            (image + np.uint8(100), _WRAPPED),
            (np.clip(image + np.uint8(100), 0, 255), _WRAPPED),
            (image.astype(int) + 100, "Some values are above 255: cut them off with `np.clip`."),
            (np.full_like(image, 255), "Every pixel is white. Keep the values below 255 apart."),
        ],
    )
    call(answer, image, -100).equals(
        np.clip(image.astype(int) - 100, 0, 255),
        wrong=[
            ((image.astype(int) - 100).astype(np.uint8), "Darkening wraps round below 0."),
            (
                image.astype(int) - 100,
                "Values fall below 0 when the amount is negative: clip there too.",
            ),
        ],
    )
    kind = to_numpy(result.value).dtype
    if kind != np.uint8:
        raise CheckFailed(
            f"The values are right, but their type is `{kind}`. Turn them back into `uint8` at the "
            "end, so that the result is a picture like the one that came in."
        )
    return "Values stop at 0 and at 255, and the picture stays a `uint8` picture."


_WRAPPED = (
    "Bright pixels became dark: the sum was made in `uint8` and wrapped round. Convert to `int` "
    "*before* you add, clip, and convert back."
)


@lab.check("gray from color")
def to_gray(answer):
    image = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    right = image @ LUMA
    Answer(call(answer, image).value, "The gray picture").equals(
        right,
        tolerance=1e-4,
        wrong=[
            (image.mean(-1), "You took the plain mean. The eye sees green as brighter: weights."),
            (image @ LUMA[::-1], "The weights are in the wrong order: red, green, blue."),
            (
                image * LUMA,
                "You weighted the planes but did not add them: sum over the last axis.",
            ),
            ((image * LUMA).mean(-1), "Add the weighted planes; the weights sum to 1 already."),
            (right[..., None], "Drop the last axis: the result has the shape (h, w)."),
            (np.trunc(right), "You cut the fractions off. Leave the result as floating point."),
        ],
    )
    return "A weighted sum over the last axis: (h, w, 3) becomes (h, w)."


@lab.check("channels first")
def channels_first(answer):
    image = np.random.default_rng(2).integers(0, 256, (2, 4, 3), dtype=np.uint8)
    call(answer, image).equals(
        np.moveaxis(image, -1, 0),
        wrong=[
            (
                image.reshape(3, 2, 4),
                "The shape is right and the picture is destroyed: `reshape` keeps the numbers in "
                "their old order and cuts them elsewhere. You need to *move* an axis.",
            ),
            (image.T, "`.T` reverses all axes, so rows and columns are swapped too: (3, w, h)."),
            (
                np.swapaxes(image, 0, 2),
                "Rows and columns have changed places too: only the color may move.",
            ),
            (image, "The color is still the last axis."),
        ],
    )
    return "(h, w, 3) became (3, h, w), and every pixel is where it belongs."
