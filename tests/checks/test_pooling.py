"""The checks of lab 04 against right, blank and wrong answers."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from failing import at_once, fails, three_tests

from helpers.checks import pooling as check
from helpers.checks.core import CheckFailed, NotAttempted

# --- pool ----------------------------------------------------------------------------------------


def counts(image, size, stride):
    return (image.shape[0] - size) // stride + 1, (image.shape[1] - size) // stride + 1


def pool(image, size, stride, reduce):
    """A right answer with loops."""
    out = np.zeros(counts(image, size, stride))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            row, column = i * stride, j * stride
            out[i, j] = reduce(image[row : row + size, column : column + size])
    return out


def pool_lists(image, size, stride, reduce):
    return [
        [
            reduce(image[r : r + size, c : c + size])
            for c in range(0, len(image[0]) - size + 1, stride)
        ]
        for r in range(0, len(image) - size + 1, stride)
    ]


def pool_view(image, size, stride, reduce):
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    return reduce(windows[::stride, ::stride], axis=(-2, -1))


def pool_reshape(image, size, stride, reduce):
    """Reshape where windows lie side by side, loop elsewhere."""
    if size != stride:
        return pool(image, size, stride, reduce)
    rows, columns = counts(image, size, stride)
    windows = image[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return reduce(windows, axis=(1, 3))


def pool_float32(image, size, stride, reduce):
    return pool(image.astype("float32"), size, stride, reduce).astype("float32")


def pool_tensor(image, size, stride, reduce):
    from keras import ops

    return ops.convert_to_tensor(pool(image, size, stride, reduce).astype("float32"))


def pool_with(corner, *, extent=None, shape=counts, dtype=float):
    """A wrong answer: the window of `[i, j]` begins at corner(i, size, stride)."""

    def answer(image, size, stride, reduce):
        extent_ = extent(size, stride) if extent else size
        out = np.zeros(shape(image, size, stride), dtype=dtype or image.dtype)
        for i, j in np.ndindex(out.shape):
            r, c = corner(i, size, stride), corner(j, size, stride)
            out[i, j] = reduce(image[r : r + extent_, c : c + extent_])
        return out

    return answer


def by_stride(i, size, stride):
    return i * stride


def ranges(step, *, stop=lambda side, size: side - size + 1, size_of=None):
    """A wrong answer: windows begin at range(0, stop, step)."""

    def answer(image, size, stride, reduce):
        n = size_of(size, stride) if size_of else size
        rows, columns = (range(0, stop(side, size), step(size, stride)) for side in image.shape)
        return np.array([[reduce(image[r : r + n, c : c + n]) for c in columns] for r in rows])

    return answer


def stride_step(size, stride):
    return stride


def square_by_rows(image, size, stride, reduce):
    n = counts(image, size, stride)[0]
    return pool_with(by_stride, shape=lambda *_: (n, n))(image, size, stride, reduce)


def square_by_columns(image, size, stride, reduce):
    n = counts(image, size, stride)[1]
    return pool_with(by_stride, shape=lambda *_: (n, n))(image, size, stride, reduce)


def pool_strip(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    for i, j in np.ndindex(out.shape):
        out[i, j] = reduce(image[i * stride : i * stride + size])
    return out


def pool_early_end(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    out[:-1, :-1] = pool(image, size, stride, reduce)[:-1, :-1]
    return out


def pool_returns_early(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    for i, j in np.ndindex(out.shape):
        out[i, j] = reduce(image[i * stride : i * stride + size, j * stride : j * stride + size])
        return out


def pool_first_row(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    out[0] = pool(image, size, stride, reduce)[0]
    return out


def pool_same_shape(image, size, stride, reduce):
    out = np.zeros(image.shape)
    part = pool(image, size, stride, reduce)
    out[: part.shape[0], : part.shape[1]] = part
    return out


def pool_in_memory_order(image, size, stride, reduce):
    rows, columns = image.shape[0] // size, image.shape[1] // size
    return reduce(image.reshape(rows, columns, size * size), axis=-1)


def pool_max_from_zero(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    for i, j in np.ndindex(out.shape):
        for a in range(size):
            for b in range(size):
                out[i, j] = max(out[i, j], image[i * stride + a, j * stride + b])
    return out


def pool_zero_padded(image, size, stride, reduce):
    extra = [(0, -(side - size) % stride) for side in image.shape]
    return pool(np.pad(image, extra), size, stride, reduce)


def pool_pixel_index(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    for r in range(0, image.shape[0] - size + 1, stride):
        for c in range(0, image.shape[1] - size + 1, stride):
            out[r, c] = reduce(image[r : r + size, c : c + size])
    return out


def pool_one_axis_into_place(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    for i, j in np.ndindex(out.shape):
        window = image[i * stride : i * stride + size, j * stride : j * stride + size]
        out[i, j] = reduce(window, axis=0)
    return out


def pool_one_axis(image, size, stride, reduce):
    return [
        [
            reduce(image[r : r + size, c : c + size], axis=0)
            for c in range(0, image.shape[1] - size + 1, stride)
        ]
        for r in range(0, image.shape[0] - size + 1, stride)
    ]


def pool_swapped_corner(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    for i, j in np.ndindex(out.shape):
        out[i, j] = reduce(image[j * stride : j * stride + size, i * stride : i * stride + size])
    return out


def pool_slice_to_size(image, size, stride, reduce):
    out = np.zeros(counts(image, size, stride))
    for i, j in np.ndindex(out.shape):
        out[i, j] = reduce(image[i * stride : size, j * stride : size])
    return out


def pool_off_by_one_value(image, size, stride, reduce):
    out = pool(image, size, stride, reduce)
    out[0, -1] += 1
    return out


def pool_width_first(image, size, stride, reduce):
    w, h = image.shape
    rows, columns = (h - size) // stride + 1, (w - size) // stride + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[i, j] = reduce(
                image[i * stride : i * stride + size, j * stride : j * stride + size]
            )
    return out


def pool_output_on_its_side(image, size, stride, reduce):
    rows, columns = counts(image, size, stride)
    out = np.zeros((columns, rows))
    for i in range(rows):
        for j in range(columns):
            out[i, j] = reduce(
                image[i * stride : i * stride + size, j * stride : j * stride + size]
            )
    return out


def pool_true_division(image, size, stride, reduce):
    rows = (image.shape[0] - size) / stride + 1
    columns = (image.shape[1] - size) / stride + 1
    return np.zeros((rows, columns))


def pool_prints(image, size, stride, reduce):
    print(pool(image, size, stride, reduce))


def dispatch(table, default):
    return lambda x, n, s, f: pool(x, n, s, table.get(f, default))


POOL_WRONG = [
    (lambda x, n, s, f: pool(x, n, 1, f), "stride has no effect"),
    (pool_with(lambda i, n, s: i), "right shape, but its windows move one pixel"),
    (lambda x, n, s, f: pool(x, n, n, f), "move by `size` pixels"),
    (pool_with(lambda i, n, s: i * n), "windows stand elsewhere"),
    (pool_with(by_stride, extent=lambda n, s: s), "Your windows are `stride` pixels high"),
    (ranges(stride_step, size_of=lambda n, s: s), "Your windows are `stride` pixels high"),
    (lambda x, n, s, f: pool(x, s, s, f), "Your windows are `stride` pixels high"),
    (lambda x, n, s, f: pool(x, s, n, f), "`size` and `stride` have changed places"),
    (lambda x, n, s, f: pool(x, n, s, np.max), "is what `np.max` gives, but here"),
    (lambda x, n, s, f: pool(x, n, s, np.mean), "is what `np.mean` gives, but here"),
    (dispatch({np.max: np.max}, np.mean), "`np.mean` gives, but here `reduce` is `np.sum`"),
    (dispatch({np.max: np.max, np.mean: np.mean}, np.sum), "but here `reduce` is `np.min`"),
    (lambda x, n, s, f: pool(x, n, s, f).T, "Rows and columns have changed places"),
    (pool_swapped_corner, "Rows and columns have changed places"),
    (square_by_rows, "one side of the image for both axes"),
    (square_by_columns, "one side of the image for both axes"),
    (ranges(stride_step, stop=lambda side, n: side), "hang over the edge"),
    (pool_zero_padded, "larger with zeros"),
    (ranges(stride_step, stop=lambda side, n: side - n), "ends exactly at the edge"),
    (
        pool_with(by_stride, shape=lambda x, n, s: [(k - n) // s for k in x.shape]),
        "One window is missing along each axis",
    ),
    (
        pool_with(by_stride, shape=lambda x, n, s: [(k - n + 1) // s for k in x.shape]),
        "The + 1 comes after",
    ),
    (
        pool_with(by_stride, shape=lambda x, n, s: [k // s for k in x.shape]),
        "`side // stride` windows",
    ),
    (pool_early_end, "still zeros"),
    (pool_returns_early, "Only the first windows are in your output"),
    (pool_first_row, "Only the first windows are in your output"),
    (pool_width_first, "it has 6 rows and 10 columns, and `image.shape` gives the rows first"),
    (pool_output_on_its_side, "The image has the shape (6, 10), rows first"),
    (pool_true_division, "`//` gives a whole number"),
    (pool_prints, "`print` shows a value but gives nothing back"),
    (pool_one_axis, "along one axis of the window"),
    (pool_one_axis_into_place, "Is a *whole* window reduced"),
    (pool_strip, "a strip across the whole image"),
    (lambda x, n, s, f: pool_strip(x.T, n, s, f).T, "a strip across the whole image"),
    (pool_with(lambda i, n, s: 0), "never leaves the first position"),
    (lambda x, n, s, f: np.full(counts(x, n, s), f(x)), "gets the whole image"),
    (lambda x, n, s, f: f(x), "One number came back"),
    (pool_with(by_stride, extent=lambda n, s: n + 1), "one row and one column too many"),
    (ranges(stride_step, size_of=lambda n, s: n - 1), "lack one row and one column"),
    (pool_in_memory_order, "neighbors in *memory*"),
    (pool_with(by_stride, dtype=None), "has the type of the image"),
    (pool_with(by_stride, dtype=int), "holds whole numbers"),
    (pool_max_from_zero, "begins at 0"),
    (pool_same_shape, "as large as the image"),
    (lambda x, n, s, f: pool(x, n, s, f).ravel(), "one long row"),
    (lambda x, n, s, f: pool_view(x, n, s, lambda w, axis: w), "they are not reduced"),
    (pool_pixel_index, "it counts windows"),
    (pool_slice_to_size, "its slice ends where it begins"),
    (pool_off_by_one_value, "has the rows 0 to 1 and the columns 2 to 3"),
    (lambda x, n, s, f: pool(x, n, s, f)[:1], "What is there is right, but windows are missing"),
    (lambda x, n, s, f: np.zeros((7, 7, 7)), "room for 2 rows of 2 whole windows"),
    (lambda x, n, s, f: pool(x, n, s, f) * np.nan, "NaN"),
    (lambda x, n, s, f: "6 8 3 4", "numbers are expected"),
    (lambda x, n, s, f: None, "returned `None`"),
    (np.max, "stopped with an error"),
    ("np.max", "A function is expected"),
]

# --- pooled_size ---------------------------------------------------------------------------------


def size_by_counting(n, size, stride, padding):
    count, begin = 0, 0
    while begin + (size if padding == "valid" else 1) <= n:
        count, begin = count + 1, begin + stride
    return count


def size_by_ceil(n, size, stride, padding):
    if padding == "same":
        return math.ceil(n / stride)
    if padding == "valid":
        return math.ceil((n - size + 1) / stride)


def size_by_numpy(n, size, stride, padding):
    return np.ceil(n / stride) if padding == "same" else np.floor((n - size) / stride) + 1


def size_array(n, size, stride, padding):
    return np.array(size_by_counting(n, size, stride, padding))


def same_with(rule):
    return lambda n, k, s, p: rule(n, k, s) if p == "same" else (n - k) // s + 1


def valid_with(rule):
    return lambda n, k, s, p: rule(n, k, s) if p == "valid" else -(-n // s)


def misspelt(n, size, stride, padding):
    if padding == "Valid":
        return (n - size) // stride + 1
    if padding == "same":
        return -(-n // stride)


def prints(n, size, stride, padding):
    print(size_by_ceil(n, size, stride, padding))


def prints_for_same(n, size, stride, padding):
    if padding == "valid":
        return (n - size) // stride + 1
    print(math.ceil(n / stride))


def counts_a_range(n, size, stride, padding):
    return len(range((n - size) / stride + 1))


SIZE_WRONG = [
    (valid_with(lambda n, k, s: n // s), "divide the whole side by the stride"),
    (valid_with(lambda n, k, s: n / s), "divide the whole side by the stride"),
    (valid_with(lambda n, k, s: n // k), "as if windows stood side by side"),
    (valid_with(lambda n, k, s: math.ceil(n / k)), "as if windows stood side by side"),
    (valid_with(lambda n, k, s: (n - k) // s), "You count the steps"),
    (valid_with(lambda n, k, s: (n - k + 1) // s), "The + 1 comes after"),
    (valid_with(lambda n, k, s: n - k + 1), "The stride has no effect"),
    (valid_with(lambda n, k, s: math.ceil((n - k) / s + 1)), "You rounded up"),
    (valid_with(lambda n, k, s: math.ceil((n - k) / s)), "You rounded up where + 1"),
    (valid_with(lambda n, k, s: round((n - k) / s) + 1), "to the nearest number"),
    (valid_with(lambda n, k, s: (n - k) / s + 1), "A size is a whole number"),
    (valid_with(lambda n, k, s: (n - s) // k + 1), "Size and stride have changed places"),
    (valid_with(lambda n, k, s: (n, n)), "One whole number is expected"),
    (valid_with(lambda n, k, s: 5), "Draw it: 4 pixels in a row, windows of 2"),
    (valid_with(lambda n, k, s: str(n)), "numbers are expected"),
    (same_with(lambda n, k, s: n // s), "You rounded down"),
    (same_with(lambda n, k, s: round(n / s)), "to the nearest number"),
    (same_with(lambda n, k, s: int(n / s + 0.5)), "to the nearest number"),
    (same_with(lambda n, k, s: n / s), "A size is a whole number"),
    (same_with(lambda n, k, s: n), "only for the stride 1"),
    (same_with(lambda n, k, s: n // s + 1), "the + 1 is for a rest"),
    (same_with(lambda n, k, s: n // s + n % s), "makes one more window only"),
    (same_with(lambda n, k, s: sum(divmod(n, s))), "makes one more window only"),
    (same_with(lambda n, k, s: math.ceil(n / s) + 1), "There is one window too many"),
    (same_with(lambda n, k, s: (n - 1) // s), "You count the steps"),
    (same_with(lambda n, k, s: n // k), "as if windows stood side by side"),
    (same_with(lambda n, k, s: -n // s), "Your size is negative"),
    (same_with(lambda n, k, s: (n - k + 2 * (k // 2)) // s + 1), "size plays no part"),
    (same_with(lambda n, k, s: (n - k + 2 * ((k - 1) // 2)) // s + 1), "size plays no part"),
    (same_with(lambda n, k, s: math.ceil((n - k) / s) + 1), "size plays no part"),
    (same_with(lambda n, k, s: 2), "the number of windows is 10 / 2"),
    (same_with(lambda n, k, s: math.ceil(n / s) + 1), "nothing is added to the number"),
    (lambda n, k, s, p: (n - k) // s + 1, 'For "same" you give the size of "valid"'),
    (lambda n, k, s, p: -(-n // s), 'For "valid" you give the size of "same"'),
    (
        lambda n, k, s, p: size_by_ceil(n, k, s, "same" if p == "valid" else "valid"),
        'is 3 for "valid" and 4 for "same"; you give 4 for "valid" and 3 for "same"',
    ),
    (prints, "Is the `return` missing?\n\n`print` shows a value but gives nothing back"),
    (prints_for_same, "is the condition before it true for the padding 'same'?"),
    (misspelt, "is the condition before it true for the padding 'valid'?"),
    (valid_with(lambda n, k, s: (n - k) / s + 1), "round down, as `//` does"),
    (counts_a_range, "`//` gives a whole number"),
    (lambda n, k, s, p: (n - k) / s + 1, "round down, as `//` does"),
    (
        valid_with(lambda n, k, s: (n - k) / s + 1.25),
        "Which way is it rounded for the padding 'valid'",
    ),
    (lambda n, k, s, p: n / 0, "stopped with an error"),
    ("valid", "A function is expected"),
]

# --- max_pool_gradient ---------------------------------------------------------------------------


def windows_of(image, size):
    h, w = image.shape
    return image.reshape(h // size, size, w // size, size).swapaxes(1, 2)


def gradient(image, upstream, size, *, pick=np.argmax, place=None, value=None, out=np.zeros, add=0):
    """A right answer with loops whose parts can be replaced by wrong ones."""
    result = out(image.shape)
    for i in range(upstream.shape[0]):
        for j in range(upstream.shape[1]):
            window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
            k = pick(window)
            a, b = np.unravel_index(k, window.shape)
            spot = place(i, j, size, a, b) if place else (i * size + a, j * size + b)
            given = value(upstream, i, j, window) if value else upstream[i, j]
            result[spot] = given + add * result[spot]
    return result


def gradient_with(**parts):
    return lambda image, upstream, size: gradient(image, upstream, size, **parts)


def enlarge(small, size):
    return small.repeat(size, axis=0).repeat(size, axis=1)


def at_maximum(image, size, function=np.max):
    return image == enlarge(function(windows_of(image, size), axis=(2, 3)), size)


def gradient_sharing(image, upstream, size):
    mask = at_maximum(image, size)
    share = enlarge(upstream / windows_of(mask, size).sum((2, 3)), size)
    return np.where(mask, share, 0)


def gradient_last_tie(image, upstream, size):
    return gradient(image, upstream, size, pick=lambda w: w.size - 1 - np.argmax(w.ravel()[::-1]))


def gradient_vectorised(image, upstream, size):
    windows = windows_of(image, size)
    flat = windows.reshape(*windows.shape[:2], -1)
    out = np.zeros(flat.shape, dtype="float32")
    np.put_along_axis(out, flat.argmax(-1)[..., None], upstream[..., None], axis=-1)
    return out.reshape(windows.shape).swapaxes(1, 2).reshape(image.shape)


def gradient_lists(image, upstream, size):
    return gradient(image, upstream, size).tolist()


def gradient_tensor(image, upstream, size):
    from keras import ops

    return ops.convert_to_tensor(gradient(image, upstream, size).astype("float32"))


def gradient_masked(image, upstream, size):
    return at_maximum(image, size) * enlarge(upstream, size)


def not_unravelled(image, upstream, size):
    result = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        result[i * size : (i + 1) * size, j * size : (j + 1) * size][np.argmax(window)] = upstream[
            i, j
        ]
    return result


def flat_of_image(image, upstream, size):
    result = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        result.flat[np.argmax(window)] = upstream[i, j]
    return result


def unravelled_in_image(image, upstream, size):
    result = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        a, b = np.unravel_index(np.argmax(window), image.shape)
        result[i * size + a, j * size + b] = upstream[i, j]
    return result


def found_by_value(image, upstream, size):
    result = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        result[image == window.max()] = upstream[i, j]
    return result


def first_found_by_value(image, upstream, size):
    result = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        result[tuple(np.argwhere(image == window.max())[0])] = upstream[i, j]
    return result


def whole_image(image, upstream, size):
    result = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        result[np.unravel_index(np.argmax(image), image.shape)] = upstream[i, j]
    return result


def always_two(image, upstream, size):
    result = np.zeros(image.shape)
    for i, j in np.ndindex(upstream.shape):
        a, b = np.unravel_index(np.argmax(image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]), (2, 2))
        result[2 * i + a, 2 * j + b] = upstream[i, j]
    return result


def returns_early(image, upstream, size):
    result = np.zeros(image.shape)
    result[:size, :size] = gradient(image, upstream, size)[:size, :size]
    return result


def first_row_of_windows(image, upstream, size):
    result = np.zeros(image.shape)
    result[:size] = gradient(image, upstream, size)[:size]
    return result


def running_maximum(begin, *, forget=True):
    """A wrong answer unless `begin` is below every pixel; `forget` the place of other windows."""

    def answer(image, upstream, size):
        result = np.zeros(image.shape)
        for i in range(upstream.shape[0]):
            for j in range(upstream.shape[1]):
                best = begin
                if forget:
                    row, column = i * size, j * size
                for a in range(i * size, (i + 1) * size):
                    for b in range(j * size, (j + 1) * size):
                        if image[a, b] > best:
                            best, row, column = image[a, b], a, b
                result[row, column] = upstream[i, j]
        return result

    return answer


def upstream_by_pixel(image, upstream, size):
    result = np.zeros(image.shape)
    for i in range(0, image.shape[0], size):
        for j in range(0, image.shape[1], size):
            window = image[i : i + size, j : j + size]
            a, b = np.unravel_index(window.argmax(), window.shape)
            result[i + a, j + b] = upstream[i, j]
    return result


def upstream_by_place_in_window(image, upstream, size):
    def value(upstream, i, j, window):
        a, b = np.unravel_index(window.argmax(), window.shape)
        return upstream[min(a, len(upstream) - 1), min(b, len(upstream[0]) - 1)]

    return gradient(image, upstream, size, value=value)


def in_place(image, upstream, size):
    image[...] = gradient(image, upstream, size)
    return image


GRADIENT_WRONG = [
    (lambda x, u, n: enlarge(u, n) / n**2, "gradient of *average* pooling"),
    (lambda x, u, n: enlarge(u, n), "Every pixel of a window gets the whole value"),
    (lambda x, u, n: at_maximum(x, n), "each has a 1"),
    (gradient_with(value=lambda u, i, j, w: 1), "each has a 1"),
    (gradient_with(value=lambda u, i, j, w: w.max()), "The upstream values have no effect"),
    (lambda x, u, n: x * at_maximum(x, n), "The upstream values have no effect"),
    (gradient_with(value=lambda u, i, j, w: w.max() * u[i, j]), "values of the pixels appear"),
    (lambda x, u, n: x * enlarge(u, n), "which pixels of a window change its maximum"),
    (lambda x, u, n: enlarge(windows_of(x, n).max((2, 3)), n), "the pooled map, enlarged"),
    (gradient_with(value=lambda u, i, j, w: u[i, j] / w.size), "divided by their number"),
    (gradient_with(value=lambda u, i, j, w: -u[i, j]), "The sign is wrong"),
    (lambda x, u, n: np.where(x > 0, enlarge(u, n), 0), "that is a ReLU"),
    (gradient_with(pick=np.argmin), "*smallest* pixel"),
    (gradient_with(pick=lambda w: np.argmax(abs(w))), "without its sign"),
    (gradient_with(pick=lambda w: 0), "top left pixel"),
    (whole_image, "largest pixel of the whole image"),
    (lambda x, u, n: np.where(x == x.max(), enlarge(u, n), 0), "largest pixel of the whole image"),
    (gradient_with(place=lambda i, j, n, a, b: (a, b)), "You wrote everything into the first"),
    (gradient_with(place=lambda i, j, n, a, b: (a, b), add=1), "Add the corner of the window"),
    (gradient_with(place=lambda i, j, n, a, b: (i * n + a, b)), "both need it"),
    (gradient_with(place=lambda i, j, n, a, b: (a, j * n + b)), "both need it"),
    (upstream_by_pixel, "number for each *window*, and here the shape (2, 2); the image"),
    (upstream_by_place_in_window, "`upstream` has one number for each *window*"),
    (running_maximum(0), "all pixels of the window `[[-"),
    (running_maximum(0), "one of them is the largest. Does your search for it begin"),
    (running_maximum(0, forget=False), "UnboundLocalError"),
    (running_maximum(0, forget=False), "all pixels of the window `[[-"),
    (running_maximum(-1), "a number that none exceeds, such as 0?"),
    (gradient_with(place=lambda i, j, n, a, b: (i + a, j + b)), "doesn't begin at the pixel"),
    (gradient_with(place=lambda i, j, n, a, b: (i * n + b, j * n + a)), "inside each window"),
    (gradient_with(place=lambda i, j, n, a, b: (j * n + a, i * n + b)), "of the *windows*"),
    (not_unravelled, "`np.argmax` of a window is *one* number"),
    (flat_of_image, "a place in the flattened *image*"),
    (unravelled_in_image, "as if it counted those of the whole image"),
    (found_by_value, "Look only inside the window"),
    (first_found_by_value, "Look only inside the window"),
    (returns_early, "Only the first windows get"),
    (first_row_of_windows, "Only the first windows get"),
    (always_two, "always 2 x 2"),
    (gradient_with(value=lambda u, i, j, w: u[0, 0]), "Every window gets the same number"),
    (gradient_with(value=lambda u, i, j, w: u.sum()), "Every window gets the same number"),
    (gradient_with(value=lambda u, i, j, w: u[j, i]), "have changed places"),
    (gradient_with(value=lambda u, i, j, w: u.T.ravel()[i * u.shape[1] + j]), "changed places"),
    (lambda x, u, n: gradient_with(out=lambda s: np.zeros_like(x))(x, u, n), "cut off"),
    (gradient_with(out=lambda shape: np.zeros(shape, dtype=int)), "cut off"),
    (lambda x, u, n: gradient(x, u, n).T, "lies on its side"),
    (lambda x, u, n: u, "the shape of the pooled map"),
    (lambda x, u, n: gradient(x, u, n) * (x > 0), "are negative, and one of them"),
    (gradient_masked, "Where several pixels of a window share"),
    (lambda x, u, n: gradient_sharing(x, u, n) / at_maximum(x, n).sum() * u.size, "add"),
    (lambda x, u, n: gradient(x, u, n) + (n == 3), "has its largest pixel at"),
    (in_place, "changes its input in place"),
    (lambda x, u, n: None, "returned `None`"),
    ("argmax", "A function is expected"),
]

# --- receptive_field -----------------------------------------------------------------------------


def fields_by_sets(layers):
    """Follow the set of pixels on which each of many outputs depends: no formula at all."""
    length = 1 + sum((k + 1) * math.prod(s for _, s in layers) for k, _ in layers)
    seen, sides = [{pixel} for pixel in range(length)], []
    for kernel, stride in layers:
        seen = [
            set().union(*seen[begin : begin + kernel])
            for begin in range(0, len(seen) - kernel + 1, stride)
        ]
        sides.append(max(seen[0]) - min(seen[0]) + 1)
    return sides


def fields(layers, *, side=1, jump=1, growth=lambda k, s, jump: (k - 1) * jump, step=None):
    """A right answer whose parts can be replaced by wrong ones."""
    sides = []
    for kernel, stride in layers:
        side += growth(kernel, stride, jump)
        jump = step(jump, stride) if step else jump * stride
        sides.append(side)
    return sides


def fields_with(**parts):
    return lambda layers: fields(layers, **parts)


def fields_by_numpy(layers):
    kernels, strides = np.array(layers).T
    jumps = np.cumprod([1, *strides[:-1]])
    return 1 + np.cumsum((kernels - 1) * jumps)


def fields_walking_back(layers):
    def side(depth):
        result = 1
        for kernel, stride in layers[:depth][::-1]:
            result = (result - 1) * stride + kernel
        return result

    return tuple(side(depth + 1) for depth in range(len(layers)))


def forward(following):
    def answer(layers):
        side, sides = 1, []
        for kernel, stride in layers:
            side = following(side, kernel, stride)
            sides.append(side)
        return sides

    return answer


def returns_in_the_loop(layers):
    for kernel, _ in layers:
        return [kernel]


def assigns_append(layers):
    out, side, jump = [], 1, 1
    for kernel, stride in layers:
        side += (kernel - 1) * jump
        jump *= stride
        out = out.append(side)
    return out


def prints_sides(layers):
    print(fields(layers))


FIELD_WRONG = [
    (assigns_append, "`append` changes the list itself"),
    (prints_sides, "`append` and `print` give nothing back"),
    (fields_with(growth=lambda k, s, jump: 2 * jump), "Every layer adds what a kernel of 3 does"),
    (lambda layers: [9, 9, 9, 9, 9][: len(layers)], "looks at 3 pixels of the image in a row"),
    (lambda layers: [3, 9, 9, 9, 9][: len(layers)], "the stride of the layer before it?"),
    (lambda layers: [3, 4, 9, 9, 9][: len(layers)], "the strides of the 2 layers before it?"),
    (fields_with(step=lambda jump, s: 1), "The strides have no effect"),
    (lambda layers: np.cumsum([k for k, _ in layers]), "You add up the kernels"),
    (fields_with(growth=lambda k, s, jump: k), "You add up the kernels"),
    (lambda layers: np.cumprod([k for k, _ in layers]), "You multiply the kernels"),
    (fields_with(growth=lambda k, s, jump: (k - 1) * jump * s), "A layer's own stride"),
    (fields_with(growth=lambda k, s, jump: (k - 1) * s), "A layer's own stride"),
    (fields_with(step=lambda jump, s: s), "just before counts"),
    (fields_with(step=lambda jump, s: jump + s), "You add up the strides"),
    (fields_with(step=lambda jump, s: jump + s - 1), "You add up the strides"),
    (fields_with(growth=lambda k, s, jump: k * jump), "Each new layer adds `kernel` neighbors"),
    (fields_with(growth=lambda k, s, jump: k * jump, side=0), "Each new layer adds `kernel`"),
    (fields_with(side=0), "1 too small"),
    (forward(lambda r, k, s: (r - 1) * s + k), "walks *back*"),
    (forward(lambda r, k, s: (r + k - 1) * s), "multiply the side itself"),
    (forward(lambda r, k, s: r * s + k - 1), "multiply the side itself"),
    (forward(lambda r, k, s: r * s), "products of the strides"),
    (lambda layers: fields([(s, k) for k, s in layers]), "Kernel and stride have changed"),
    (lambda layers: np.diff([1, *fields(layers)]), "what each layer adds"),
    (lambda layers: fields(layers[::-1]), "begin with the last layer"),
    (lambda layers: fields(layers)[::-1], "the last layer comes first"),
    (lambda layers: [1, *fields(layers)], "1 of the image itself"),
    (lambda layers: [1, *fields(layers)][:-1], "one place too late"),
    (lambda layers: fields(layers)[-1], "after the last layer only"),
    (lambda layers: [fields(layers)[-1]], "after the last layer only"),
    (returns_in_the_loop, "inside the loop"),
    (lambda layers: [side**2 for side in fields(layers)], "number of pixels in the field"),
    (fields_with(growth=lambda k, s, jump: 2 * (k // 2) * jump), "A window of even size"),
    (fields_with(growth=lambda k, s, jump: k // 2 * jump), "one side only"),
    (lambda layers: [3, 4, 9][: len(layers)], "first wrong side is that of layer 3"),
    (lambda layers: [3, 4, 8, 8, 8, 8], "one side for each"),
    (lambda layers: {3, 4, 8}, "numbers are expected"),
    (lambda layers: layers[0] + 1, "stopped with an error"),
]

RIGHT = {
    check.pool: [pool, pool_lists, pool_view, pool_reshape, pool_float32, pool_tensor],
    check.pooled_size: [size_by_counting, size_by_ceil, size_by_numpy, size_array],
    check.max_pool_gradient: [
        gradient,
        gradient_sharing,
        gradient_last_tie,
        gradient_vectorised,
        gradient_lists,
        gradient_tensor,
        running_maximum(-np.inf, forget=False),
    ],
    check.receptive_field: [fields, fields_by_sets, fields_by_numpy, fields_walking_back],
}
WRONG = [
    *((check.pool, *pair) for pair in POOL_WRONG),
    *((check.pooled_size, *pair) for pair in SIZE_WRONG),
    *((check.max_pool_gradient, *pair) for pair in GRADIENT_WRONG),
    *((check.receptive_field, *pair) for pair in FIELD_WRONG),
]

# --- predictions and the twin --------------------------------------------------------------------

CURVES = {
    "no pooling": np.linspace([0.97, 0.96], [0.30, 0.28], 9).T,
    "strided convolution": np.linspace([0.975, 0.965], [0.4, 0.36], 9).T,
    "max": np.linspace([0.98, 0.97], [0.5, 0.46], 9).T,
    "global average": np.linspace([0.93, 0.92], [0.90, 0.88], 9).T,
    "blind": np.full((2, 9), 0.1),
}
VISIBILITY = {
    "thin bright line": {"max": 8.0, "average": 2.5},
    "faint patch in noise": {"max": 0.5, "average": 2.0},
    "thin dark line": {"max": 0.1, "average": 1.5},
}
SCENES = tuple(VISIBILITY)
PHOTO = np.random.default_rng(0).uniform(0.2, 0.8, (6, 8))


def words(*answers):
    return dict(zip(SCENES, answers, strict=True))


def largest(image):
    return image.reshape(image.shape[0] // 2, 2, -1, 2).max((1, 3))


def exchange(image):
    """Exchange the columns of each window."""
    twin = image.copy()
    twin[:, ::2], twin[:, 1::2] = image[:, 1::2], image[:, ::2]
    return twin


def exchange_slices(axis, one_line=True):
    """A wrong twin: it reads what it has just written."""

    def make(image):
        twin = image.copy()
        view = twin if axis == 0 else twin.T
        if one_line:
            view[0::2], view[1::2] = view[1::2], view[0::2]
        else:
            view[1::2] = view[0::2]
            view[0::2] = view[1::2]
        return twin

    return make


def mostly_black(image):
    return np.where(image == enlarge(largest(image), 2), image, 0)


def a_few_black(image):
    twin = mostly_black(image)
    twin[:, 3:] = image[:, 3:]
    return twin


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


def test_the_other_blanks_are_not_attempted():
    for test, arguments in [
        (check.steadiest, (None, CURVES)),
        (check.steadiest, (..., CURVES)),
        (check.twin, (None, PHOTO)),
        (check.better, (None, VISIBILITY)),
        (check.better, (dict.fromkeys(SCENES), VISIBILITY)),
        (check.better, (dict.fromkeys(SCENES, ...), VISIBILITY)),
    ]:
        fails(test, *arguments, match=None, kind=NotAttempted)


def test_the_examples_of_the_lab():
    image = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
    assert pool(image, 2, 2, np.max).tolist() == [[6, 8], [3, 4]]
    assert fields_by_sets([(3, 1), (2, 2), (3, 1)]) == [3, 4, 8]


def test_an_error_does_not_hide_the_mistake_behind_it():
    def fails_on_small_images(image, size, stride, reduce):
        if image.shape == (4, 4):
            raise ValueError("too small")
        return pool(image, size, 1, reduce)

    fails(check.pool, fails_on_small_images, match=r"(?s)too small.*stride has no effect")


def test_a_mistake_is_named_only_if_it_explains_every_result():
    def sometimes_another_stride(image, size, stride, reduce):
        return pool(image, size, 1 if image.shape == (6, 10) else stride, reduce)

    with pytest.raises(CheckFailed) as raised:
        check.pool(sometimes_another_stride)
    assert "no effect" not in str(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        "global average",
        "Global Average",
        " global  average",
        "global_average",
        "Global average pooling",
        "GAP",
        "global mean",
    ],
)
def test_the_steadiest_network_is_the_one_with_the_highest_mean(answer, capsys):
    check.steadiest(answer, CURVES)
    assert "keeps 10.0 %" in capsys.readouterr().out
    check.steadiest("max", {"max": [[0.9, 0.5, 0.6]], "min": [[0.9, 0.6, 0.4]]})


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        ("max", "Yours loses more on the way"),
        ("max", r"`global average` is right for 92\.5 %"),
        ("max", r"`max` is right for 97\.5 %"),
        ("blind", "starts lower"),
        ("maximum", r"`max` is right for 97\.5 %"),
        ("Max pooling", r"`max` is right for 97\.5 %"),
        ("strided", r"`strided convolution` is right for 97\.0 %"),
        ("None", r"`no pooling` is right for 96\.5 %"),
        ("pooling", "`no pooling`, `strided convolution`, `max`, `global average`"),
        ("average", "answer with one of these"),  # not among the networks here
        ("global", "answer with one of these"),
        (3, "answer with one of these"),
        (["max"], "answer with one of these"),
    ],
)
def test_wrong_steadiest(answer, phrase):
    fails(check.steadiest, answer, CURVES, match=phrase)


@pytest.mark.parametrize(
    "curves",
    [
        {"max": [], "min": []},
        {"max": [[0.9, 0.5, 0.6], [0.9, 0.5, 0.6]], "min": []},
        {"max": [[0.9, 0.5, 0.6], [0.9, 0.5, 0.6]], "min": [[0.9, 0.6, 0.4]]},
    ],
)
def test_an_experiment_that_was_stopped_is_not_taken_for_a_wrong_answer(curves):
    fails(check.steadiest, "max", curves, match="stopped before its end")


@pytest.mark.parametrize(
    "make",
    [
        exchange,
        mostly_black,
        lambda image: enlarge(largest(image), 2),
        lambda image: mostly_black(image).astype("float32"),
        lambda image: mostly_black(image).tolist(),
        lambda image: exchange(image) + 1e-6,
        lambda image: mostly_black(image) - 1e-6,
    ],
)
def test_right_twins_pass(make):
    check.twin(make(PHOTO), PHOTO)
    check.twin(make(PHOTO.astype("float32")), PHOTO.astype("float32"))
    bright = PHOTO / PHOTO.max()
    check.twin(make(bright), bright)


@pytest.mark.parametrize(
    ("make", "phrase"),
    [
        (lambda image: image, "the image itself"),
        (lambda image: image.copy(), "the image itself"),
        (lambda image: image - 1e-6, "no pixel differs by more than 0.000002"),
        (lambda image: np.where(image > 0.3, image, 1.00001), r"go from 0\.\d+ to 1\.00001;"),
        (largest, "the shape of the pooled map"),
        (lambda image: image[..., None], r"has the shape \(6, 8, 1\)"),
        (lambda image: image.T, r"has the shape \(8, 6\)"),
        (lambda image: image * np.nan, "NaN"),
        (lambda image: image * 255, "stay between 0 and 1"),
        (lambda image: image - 0.5, "stay between 0 and 1"),
        (lambda image: "image", "an array of numbers"),
        (a_few_black, r"only 12 of 48 pixels differ by more than 0\.000002"),
        (lambda image: image[:, ::-1], "mirrored or turned"),
        (lambda image: image[::-1], "mirrored or turned"),
        (lambda image: image[::-1, ::-1], "mirrored or turned"),
        *(
            (exchange_slices(axis, one_line), "one of its rows or columns twice")
            for axis in (0, 1)
            for one_line in (True, False)
        ),
        (lambda image: np.roll(image, 2, axis=1), "in other places"),
        (lambda image: image * 0.9, "must stay in it"),
        (lambda image: image * 0.9, r"differ in 12 of 12 windows. The first is `\[0, 0\]`"),
        (lambda image: image * 1.2, "No pixel may grow"),
        (lambda image: 1 - image, "none above it, and one that reaches it"),
        (lambda image: np.where(image < 0.79, 0, image), "must stay in it"),
        (
            lambda image: enlarge(image.reshape(3, 2, 4, 2).mean((1, 3)), 2),
            r"keep their \*average\*",
        ),
        (lambda image: enlarge(image.reshape(3, 2, 4, 2).min((1, 3)), 2), r"\*smallest\*"),
    ],
)
def test_wrong_twins_fail_with_their_message(make, phrase):
    fails(check.twin, make(PHOTO), PHOTO, match=phrase)


@pytest.mark.parametrize(
    "answer",
    [
        words("max", "average", "average"),
        words("Max", " AVERAGE", "average "),
        words("max pooling", "mean", "Average pooling"),
        words("maximum", "avg", "average_pooling"),
        {**words("max", "average", "average"), "another": "max"},
        {scene.title(): word for scene, word in words("max", "average", "average").items()},
    ],
)
def test_the_better_pooling_is_the_one_with_the_larger_figure(answer):
    check.better(answer, VISIBILITY)
    check.better({"fog": "max"}, {"fog": {"max": 1.0, "average": 1.0}})


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        (words("average", "average", "average"), "mixes all pixels"),
        (words("average", "average", "average"), "no single answer fits"),
        (words("max", "max", "max"), r'"faint patch in noise": you chose `max`, for which 0\.5'),
        (words("max", "max", "max"), "no single answer fits"),
        (words("max", "average", "max"), '"thin dark line".*passes on one pixel'),
        (words("average", "max", "max"), "the other way round"),
        (words("max", None, "average"), '"faint patch in noise" has no word'),
        (words("max", "median", "average"), "answer with one of these: `max`, `average`"),
        (words("max", 2, "average"), "answer with one of these"),
        ({"line": "max"}, "The scenes are"),
        (["max", "average", "average"], "a dictionary"),
    ],
)
def test_wrong_words(answer, phrase):
    fails(check.better, answer, VISIBILITY, match=phrase)


@pytest.mark.parametrize(
    ("test", "answer", "phrase"),
    [
        (check.pool, pool, "sums and minima are right as well"),
        (check.max_pool_gradient, gradient, "Where several share the largest value"),
    ],
)
def test_the_success_says_what_was_tried(test, answer, phrase, capsys):
    test(answer)
    assert phrase in " ".join(capsys.readouterr().out.split())


def test_no_message_says_where_windows_begin_for_same_padding():
    texts = [message for message, *_ in check._SAME_MISTAKES]
    texts.append(check._explain_size((7, 3, 2, "same"), np.array(9), np.array(4)))
    assert not [text for text in texts if re.search("begin|one side|at 0", text)]


def test_the_score_card_follows_the_exercises():
    lab = (Path(__file__).parents[2] / "solutions" / "04_pooling.py").read_text()
    calls = re.findall(r"^check\.(\w+)\(", lab, re.MULTILINE)
    exercises = [name for name in calls if name not in ("reached", "score_card")]
    assert exercises == [name for name in vars(check) if name in exercises]
    assert len(exercises) == len(set(exercises)) == 7


def test_every_check_answers_at_once():
    check.pool(pool)  # Keras starts its backend at the first call
    check.max_pool_gradient(gradient)
    for test, arguments in [
        *((test, right[:1]) for test, right in RIGHT.items()),
        (check.steadiest, ("global average", CURVES)),
        (check.twin, (exchange(PHOTO), PHOTO)),
        (check.better, (words("max", "average", "average"), VISIBILITY)),
    ]:
        at_once(test, *arguments)
    for test, answer, _ in WRONG:
        at_once(test, answer)
