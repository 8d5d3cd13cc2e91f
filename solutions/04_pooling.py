# %% [markdown]
# # Pooling
#
# After this lab you will be able to
#
# - pool an image by hand and in NumPy, and predict the size of the result,
# - say when the largest value of a window is the better summary and when the average is,
# - compute how far a unit deep in a network sees, and verify it,
# - follow the gradient back through max pooling,
# - measure what a network does when the digit moves, and choose a layer for it,
# - say what pooling forgets, and for which tasks that is fatal.
#
# You need two hours. The notebook computes for about two minutes on two CPU cores and takes up to
# 1.3 GB of memory. The pictures are a photograph that comes with scikit-learn, and MNIST, the
# handwritten digits of lab 03.

# %%
import time

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap

from helpers import data, plots, training
from helpers.checks import pooling as check

# %% [markdown]
# ## A summary of every window
#
# A convolution says *how well* a pattern fits at each position. Often its exact position doesn't
# matter, and a coarser map would do. **Pooling** makes one: it cuts the map into windows and keeps one
# number for each. *Max pooling* keeps the largest, *average pooling* the mean, *sum pooling* the sum.
#
# Here is a map of 4 x 4 and windows of 2 x 2 that touch, but don't overlap. Find the four results of
# max pooling by eye before you run the second cell.

# %%
small = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
figure, axis = plt.subplots(figsize=(2.4, 2.4))
axis.imshow(
    [[0, 1], [1, 0]], extent=(-0.5, 3.5, 3.5, -0.5), cmap=ListedColormap(["#cfe3f1", "white"])
)
for row, column in np.ndindex(small.shape):
    axis.text(column, row, small[row, column], ha="center", va="center")
axis.axis("off")
plots.show(
    figure,
    alt="A map of 4 x 4 numbers in four windows: 1, 1, 5, 6 above left, 2, 4, 7, 8 above right, "
    "3, 2, 1, 2 below left and 1, 0, 3, 4 below right.",
)

# %% [markdown]
# Four windows, and one number of each:

# %%
windows = [small[0:2, 0:2], small[0:2, 2:4], small[2:4, 0:2], small[2:4, 2:4]]
for name, reduce in [("max", np.max), ("average", np.mean), ("sum", np.sum)]:
    print(f"{name:8}", np.reshape([reduce(window) for window in windows], (2, 2)).tolist())

# %% [markdown]
# Four numbers in the place of sixteen. For windows of 2 x 2 the sum is four times the average, so the
# two tell a network the same thing on another scale.
#
# A window needs two numbers: its side, and the **stride**, how far it moves from one window to the
# next. Often both are 2.

# %% [markdown]
# ### Exercise 1: pooling
#
# Write `pool(image, size, stride, reduce)`. `image` has the shape `(h, w)`. The windows are
# `size` x `size`, the first begins at pixel `[0, 0]`, and each next one `stride` pixels further, along
# the rows and along the columns. Only windows that fit into the image count. `reduce` is the function
# that makes one number of a window, for example `np.max`. The result is an array with one number for
# each window.
#
# `pool(small, 2, 2, np.max)` is `[[6, 8], [3, 4]]`; `pool(small, 2, 2, np.mean)` is
# `[[3.25, 5.25], [2.0, 2.0]]`; `pool(small, 3, 1, np.max)` is `[[7, 8], [7, 8]]`.
#
# <details><summary>Hint 1</summary>
#
# Along an axis of n pixels there are `(n - size) // stride + 1` windows. The one with the number `i`
# begins at pixel `i * stride`.
# </details>
# <details><summary>Hint 2</summary>
#
# Begin with `out = np.zeros((rows, columns))`, then fill it with two loops. A window is
# `image[top : top + size, left : left + size]`.
# </details>


# %% tags=["exercise:pool"]
def pool(image, size, stride, reduce):
    """Return reduce(window) for every window that fits into the image."""
    ### BEGIN SOLUTION
    rows, columns = ((n - size) // stride + 1 for n in np.shape(image))
    out = np.zeros((rows, columns))
    for i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        out[i, j] = reduce(image[top : top + size, left : left + size])
    return out
    ### END SOLUTION


# %% tags=["check:pool:2", "nbval-check-output"]
check.pool(pool)

# %% [markdown]
# Keras has `MaxPooling2D` and `AveragePooling2D`. They work on batches of maps, `(images, rows,
# columns, channels)`, and treat every channel alone. Without a stride they take the window's side as
# stride.
#
# How many weights does such a layer learn?

# %%
import keras
from keras import layers

keras.utils.set_random_seed(4)
numbers = np.array([[78, 67, 64, 24], [56, 12, 53, 94], [42, 62, 14, 57], [43, 51, 73, 83]])
for layer in [layers.MaxPooling2D(2), layers.AveragePooling2D(2)]:
    result = keras.ops.convert_to_numpy(layer(numbers[None, :, :, None].astype("float32")))
    print(f"{layer.name:20}", result[0, :, :, 0].tolist(), "weights:", layer.count_params())

# %% [markdown]
# None: there is nothing to learn in a maximum or a mean.

# %% [markdown]
# ## How large is the result?
#
# With `padding="valid"`, the default, only whole windows count: what is left over at the right and at
# the bottom is thrown away. With `padding="same"` the map is extended at its edges, so that no pixel is
# lost as long as the stride isn't larger than the window. The **number** of windows is then the number
# of pixels divided by the stride, rounded up. What stands in the added places never wins a maximum (it
# isn't a zero, unlike the padding of a convolution); how an average treats it differs between the
# backends of Keras.

# %% [markdown]
# ### Exercise 2: the size
#
# Write `pooled_size(n, size, stride, padding)`: how many windows are there along an axis of `n` pixels?
# `padding` is `"valid"` or `"same"`.
#
# `pooled_size(7, 2, 2, "valid")` is 3: windows begin at the pixels 0, 2 and 4, and the last pixel is
# lost. `pooled_size(7, 2, 2, "same")` is 4: 7 / 2 is 3.5, rounded up.
#
# <details><summary>Hint 1</summary>
#
# For `"valid"` you know the formula from exercise 1.
# </details>
# <details><summary>Hint 2</summary>
#
# For `"same"` the window's side plays no part. Rounding up: `math.ceil`, or count the numbers 0, stride,
# 2 * stride, ... that are less than n.
# </details>


# %% tags=["exercise:pooled_size"]
def pooled_size(n, size, stride, padding):
    """Return the number of windows along an axis of n pixels."""
    ### BEGIN SOLUTION
    if padding == "valid":
        return (n - size) // stride + 1
    return (n + stride - 1) // stride
    ### END SOLUTION


# %% tags=["check:pooled_size", "nbval-check-output"]
check.pooled_size(pooled_size)

# %% [markdown]
# ## What each kind keeps
#
# A photograph shows it. We make it coarser by 10 in three ways: we keep one pixel of a hundred and drop
# the others, as a kernel of 1 x 1 with a stride of 10 would do; we average; we take the largest. For
# windows that don't overlap there is a way without loops: two axes become four, and the function reduces
# two of them.


# %%
def shrink(image, size, reduce):
    """Pool an image (h, w) by windows of size x size that don't overlap, with whole windows only."""
    rows, columns = image.shape[0] // size, image.shape[1] // size
    windows = image[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return reduce(windows, axis=(1, 3))


# %% [markdown]
# Look at the edges of the roofs and at thin lines. Which picture is the brightest?

# %%
photo = data.photo().mean(axis=2)
coarse = {
    "one pixel of 100": photo[:420:10, ::10],
    "average": shrink(photo, 10, np.mean),
    "max": shrink(photo, 10, np.max),
}
figure, axes = plt.subplots(1, 3, figsize=(9, 2.7))
for axis, (name, picture) in zip(axes, coarse.items(), strict=True):
    axis.imshow(picture, vmin=0, vmax=255)
    axis.set_title(f"{name}: mean gray {picture.mean():.0f}")
    axis.axis("off")
plots.show(
    figure,
    alt="A photograph made ten times coarser in three ways. Kept pixels give ragged edges, the "
    "average is smooth and a little blurred, the maximum is clearly brighter.",
)

# %% [markdown]
# Dropping pixels leaves ragged edges, because what stands in a kept pixel is a matter of luck. The
# average is smooth, and as bright as the picture it was made of. The maximum is much brighter: bright things grow
# and thin dark ones disappear. In a feature map, where a large number means *the pattern is here*,
# exactly this may be wanted.

# %% [markdown]
# ### Exercise 3: max or average?
#
# Here are three scenes of 64 x 64 pixels with noise in them. Each holds something to find. We pool by
# 4 x 4, which gives 16 x 16 cells, and measure how **visible** the thing is: the difference between the
# mean of the cells that hold it and the mean of all other cells, divided by the standard deviation (the
# noise) of those others.

# %%
random = np.random.default_rng(4)
inside = {name: np.zeros((64, 64), bool) for name in ["bright line", "faint patch", "dark line"]}
inside["bright line"][:, 30] = inside["dark line"][:, 30] = True  # one pixel wide
inside["faint patch"][16:48, 16:48] = True
scenes = {
    "bright line": inside["bright line"] + random.normal(0, 0.15, (64, 64)),
    "faint patch": 0.3 * inside["faint patch"] + random.normal(0, 0.3, (64, 64)),
    "dark line": 1 - inside["dark line"] + random.normal(0, 0.15, (64, 64)),
}

# %% [markdown]
# For each scene, which pooling makes the thing **more visible**? Set `better` to a dictionary with
# `"max"` or `"average"` for each name, before you look at the figure further below. The bright line and
# the dark line are one pixel wide and differ from their surroundings by 1; the patch is 32 x 32 pixels,
# brighter by 0.3 only, and its noise is twice as strong. The noise of every pixel is independent of the
# others'.
#
# <details><summary>Hint 1</summary>
#
# Take one window of 16 pixels that the line crosses: 4 pixels are line, 12 are not. What is the
# largest, what is the average? And in a window without line?
# </details>
# <details><summary>Hint 2</summary>
#
# The average of 16 noisy pixels has a quarter of the noise of one pixel. Does the largest of 16 noisy
# pixels have less noise, too, and as much less?
# </details>

# %% tags=["exercise:better"]
better = {"bright line": None, "faint patch": None, "dark line": None}
### BEGIN SOLUTION
better = {"bright line": "max", "faint patch": "average", "dark line": "average"}
### END SOLUTION

# %% [markdown]
# Now the measurement. In the figure every picture has its own scale from black to white, so what counts
# is how clearly the thing stands out from what is around it, not how bright it is.


# %%
def visibility(scene, inside, reduce):
    """Return how far the cells that hold the thing stand out, in standard deviations."""
    cells = shrink(scene, 4, reduce)
    holds = shrink(inside, 4, np.any)
    return abs(cells[holds].mean() - cells[~holds].mean()) / cells[~holds].std()


# %%
measured = {}
figure, axes = plt.subplots(3, 3, figsize=(6.2, 6.4))
for row, (name, scene) in zip(axes, scenes.items(), strict=True):
    pooled = {"max": np.max, "average": np.mean}
    measured[name] = {kind: visibility(scene, inside[name], f) for kind, f in pooled.items()}
    row[0].imshow(scene)
    row[0].set_title(name)
    for axis, (kind, reduce) in zip(row[1:], pooled.items(), strict=True):
        axis.imshow(shrink(scene, 4, reduce))
        axis.set_title(f"{kind}: visible {measured[name][kind]:.1f}")
for axis in axes.flat:
    axis.axis("off")
plots.show(
    figure,
    alt="Three noisy scenes, each beside its max-pooled and its average-pooled version with the "
    "visibility of the thing. Max is better for the bright line; average for the patch and for the "
    "dark line, which max pooling wipes out.",
)

# %% tags=["check:better"]
check.better(better, measured)

# %% [markdown]
# The maximum finds what is bright and small, as long as it rises clearly above the noise, and loses what
# is dark and small. Averaging suppresses independent noise: the mean of n pixels has their noise divided
# by the square root of n. It is the better one for large faint things, and it dilutes small ones.
# (Boureau, Ponce and LeCun, 2010, work out when each is better.)

# %% [markdown]
# ## What pooling saves
#
# Three convolutions read a digit, once on full maps, once with a pooling after each. We count the
# numbers that must be kept (**activations**; training needs them all again for the gradient) and
# the multiplications, and we measure the time for 1,000 images. Which column stays the same?

# %%
digits = data.mnist()


# %%
def count(network):
    """Return the activations and the multiplications of a network of convolutions, for one image."""
    activations = multiplications = 0
    for layer in network.layers:
        numbers = int(np.prod(layer.output.shape[1:]))
        activations += numbers
        if isinstance(layer, layers.Conv2D):
            multiplications += numbers * int(np.prod(layer.kernel.shape[:3]))
    return activations, multiplications


# %%
some = digits.x_test[:1000, :, :, None].astype("float32")
print(f"{'':16}   weights  activations  multiplications  seconds")
for name, pooled in [("without pooling", False), ("with pooling", True)]:
    network = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (16, 32, 32):
        network.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        if pooled:
            network.add(layers.MaxPooling2D(2))
    network.predict(some, batch_size=100, verbose=0)  # the first call also compiles
    start = time.perf_counter()
    network.predict(some, batch_size=100, verbose=0)
    seconds = time.perf_counter() - start
    activations, work = count(network)
    print(f"{name:16} {network.count_params():9,} {activations:12,} {work:16,} {seconds:8.2f}")

# %% [markdown]
# The weights are the same, because a kernel doesn't know the size of the map it slides over. Memory,
# work and time fall. After a pooling by 2 each map has a quarter of the places. With twice as many
# channels coming in and twice as many going out, the next convolution then costs as much as before:
# 1/4 x 2 x 2 = 1. Many networks halve the maps and double the channels.

# %% [markdown]
# ## How far a unit sees
#
# You met the **receptive field** of a unit in lab 03: it is the part of the input that can change its value. One convolution
# of 3 x 3 sees 3 x 3 pixels. A second one on top sees 3 x 3 numbers of the first map, together 5 x 5
# pixels. If there is a pooling of 2 x 2 with stride 2 in between, neighbors in its map are **two**
# pixels apart, and every layer after it takes steps twice as long.
#
# Go from the input to the output and keep two numbers: `r`, the side of the receptive field, and
# `jump`, the distance in input pixels between two neighbors in the current map. Both begin with 1. A
# layer with a kernel of `k` looks at `k` neighbors: at the first, and at `k - 1` more, each `jump` pixels
# further on. Then its stride makes the steps longer:
#
# | layer | kernel, stride | r | jump after it |
# |---|---|---|---|
# | input | | 1 | 1 |
# | convolution | 3, 1 | 1 + 2 x 1 = 3 | 1 |
# | pooling | 2, 2 | 3 + 1 x 1 = 4 | 2 |
# | convolution | 3, 1 | 4 + 2 x 2 = 8 | 2 |

# %% [markdown]
# ### Exercise 4: the receptive field
#
# Write `receptive_field(plan)`. `plan` is a list of pairs `(kernel, stride)` from the input on, for
# convolutions and poolings alike. Return a list with the side of the receptive field after each layer:
# `receptive_field([(3, 1), (2, 2), (3, 1)])` is `[3, 4, 8]`.
#
# <details><summary>Hint 1</summary>
#
# One loop over the pairs, with `r` and `jump`. What changes first, and what second?
# </details>
# <details><summary>Hint 2</summary>
#
# The layer's own stride has no part in its own receptive field, only in that of the layers after it.
# </details>


# %% tags=["exercise:receptive_field"]
def receptive_field(plan):
    """Return the side of the receptive field after each (kernel, stride)."""
    ### BEGIN SOLUTION
    r, jump, sides = 1, 1, []
    for kernel, stride in plan:
        r += (kernel - 1) * jump
        jump *= stride
        sides.append(r)
    return sides
    ### END SOLUTION


# %% tags=["check:receptive_field", "nbval-check-output"]
check.receptive_field(receptive_field)

# %% [markdown]
# A formula should be tested on the thing itself. The **gradient** of one unit with respect to the image
# can be nonzero only on the pixels that the unit sees. We find them with finite differences: brighten
# one pixel at a time, and see whether the unit in the middle of the last map changes. All weights are
# 1, so that no two contributions cancel.


# %%
def support(network, side):
    """Return which pixels of a (side, side) image change the middle unit of the last map."""
    one_pixel = np.eye(side * side, dtype="float32").reshape(-1, side, side, 1)
    black = np.zeros((1, side, side, 1), "float32")
    maps = keras.ops.convert_to_numpy(network(np.concatenate([one_pixel, black])))
    middle = maps[:, maps.shape[1] // 2, maps.shape[2] // 2, 0]
    return (middle[:-1] != middle[-1]).reshape(side, side)


# %% [markdown]
# Three networks of three convolutions each: nothing in between, average pooling after the first, average
# pooling after the first and the second. What sides do you expect?

# %%
plans = {
    "no pooling": [(3, 1), (3, 1), (3, 1)],
    "one pooling": [(3, 1), (2, 2), (3, 1), (3, 1)],
    "two poolings": [(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)],
}
figure, axes = plt.subplots(1, 3, figsize=(7, 2.7))
for axis, (name, plan) in zip(axes, plans.items(), strict=True):
    network = keras.Sequential([keras.Input((28, 28, 1))])
    for kernel, stride in plan:
        if stride == 1:
            network.add(layers.Conv2D(1, kernel, padding="same", kernel_initializer="ones"))
        else:
            network.add(layers.AveragePooling2D(kernel, stride))
    seen = support(network, 28)
    axis.imshow(255 - digits.x_test[7], vmin=0, vmax=255)
    axis.imshow(np.where(seen, 1.0, np.nan), cmap=ListedColormap([plots.ORANGE]), alpha=0.5)
    axis.set_title(f"{name}: {seen.any(axis=0).sum()} x {seen.any(axis=1).sum()}")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(True)
plots.show(
    figure,
    alt="A digit three times, with an orange square in its middle: the pixels that one unit sees. "
    "The square grows from 7 pixels without pooling to 12 with one and 18 with two.",
)

# %% [markdown]
# The orange squares are what a single unit sees. The three networks have equally many weights; two
# poolings let the last layer see most of the digit. Compare the measured sides with your function, in a
# cell of your own: the last number of `receptive_field(plans["two poolings"])` should be the side above.

# %% [markdown]
# ## Back through the maximum
#
# Training needs the gradient of the loss with respect to every number in the network. Going backward
# through an average is simple: each of the n pixels of a window has the same share, 1/n. Through a
# maximum it is different. Only the largest pixel has had an influence on the result: if any other
# changed a little, the result would stay as it is.

# %% [markdown]
# ### Exercise 5: the gradient of max pooling
#
# Write `max_pool_gradient(image, upstream, size)`. `image` has the shape `(h, w)`, the windows are
# `size` x `size` and don't overlap, and both sides are multiples of `size`. `upstream`, of shape
# `(h / size, w / size)`, holds the derivative of the loss with respect to each pooled number. Return the
# derivative with respect to each pixel, of shape `(h, w)`. If several pixels of a window share its
# maximum, give all of it to one of them, or share it among them.
#
# For the image `[[1, 9], [4, 2]]`, windows of 2 and upstream `[[5.0]]` the result is
# `[[0, 5], [0, 0]]`: the 9 has won, and gets all of it.
#
# <details><summary>Hint 1</summary>
#
# Begin with `np.zeros(image.shape)`. For each window find the position of its largest pixel, and write the
# upstream number there.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.unravel_index(window.argmax(), window.shape)` is the row and the column of the largest number
# *inside the window*. The window's own corner has to be added.
# </details>


# %% tags=["exercise:max_pool_gradient"]
def max_pool_gradient(image, upstream, size):
    """Return the gradient with respect to the image."""
    ### BEGIN SOLUTION
    gradient = np.zeros(np.shape(image))
    for i, j in np.ndindex(np.shape(upstream)):
        window = image[i * size : (i + 1) * size, j * size : (j + 1) * size]
        a, b = np.unravel_index(window.argmax(), window.shape)
        gradient[i * size + a, j * size + b] = upstream[i, j]
    return gradient
    ### END SOLUTION


# %% tags=["check:max_pool_gradient:2", "nbval-check-output"]
check.max_pool_gradient(max_pool_gradient)

# %% [markdown]
# So max pooling sends the correction back through one place of each window, the one where the pattern
# fitted best; the average sends it through all of them, a part through each.

# %% [markdown]
# ## Does the digit have to stay in its place?
#
# Now the question for which pooling is best known. Look at eight numbers of one row, with a peak, and
# at the same row moved to the right by one and by two. Beside each stands what max pooling makes of it, by
# windows of two:

# %%
row = np.array([0, 0, 9, 5, 0, 0, 0, 0])
for step in (0, 1, 2):
    moved = np.roll(row, step)
    print(f"moved by {step}:", moved, " pooled:", moved.reshape(4, 2).max(axis=1))

# %% [markdown]
# After one step three of the four pooled numbers are what they were: the peak stayed in its window. After
# two steps the peak has moved on by one window. Pooling by 2 forgives *small* movements,
# and only if no border of a window is crossed. The **global average** goes further: it makes one number
# of a whole map, wherever things are.
#
# We put it to the test. Five networks learn digits that stand in the **middle** of a field of 40 x 40
# pixels. Then we move the test digits by 0 to 8 pixels, up, down, left or right. None of the five
# has ever seen a digit that isn't in the middle. (A move by 8 brings some digits to the edge of the field;
# what leaves it on one side comes back on the other.)

# %%
FIELD = 40
margin = (FIELD - 28) // 2
around = ((0, 0), (margin, margin), (margin, margin))
x_train, y_train = np.pad(digits.x_train[:4000], around)[..., None], digits.y_train[:4000]
x_test, y_test = np.pad(digits.x_test[:600], around)[..., None], digits.y_test[:600]


def displace(images, distance):
    """Move a quarter of the images each right, down, left and up by `distance` pixels."""
    moved = images.copy()
    for start, (down, right) in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0)]):
        step = (down * distance, right * distance)
        moved[start::4] = np.roll(images[start::4], step, axis=(1, 2))
    return moved


# %% [markdown]
# Each of the five has three convolutions and a dense layer of 10, and nearly the same number of
# weights. They differ in how they make the maps smaller, and in how the maps reach the dense layer:
# `Flatten` gives each place of the map weights of its own; the global average gives one number
# per channel. What the global average saves in the dense layer, it may spend on more channels.
#
# The convolutions have no bias. So an empty field gives zeros in every map, the same zeros that padding
# adds. Otherwise the edge of the field could betray where the digit is: zero padding can tell a network
# its place (Islam and others, 2020).


# %%
def convolution(filters, strides=1):
    settings = {"padding": "same", "activation": "relu", "use_bias": False}
    return layers.Conv2D(filters, 3, strides, **settings)


def classifier(*hidden):
    start = [keras.Input((FIELD, FIELD, 1)), layers.Rescaling(1 / 255)]
    return keras.Sequential([*start, *hidden, layers.Dense(10, activation="softmax")])


def build(kind):
    """Return one of the five networks."""
    if kind == "no pooling":
        return classifier(convolution(8), convolution(8), convolution(2), layers.Flatten())
    if kind == "strided convolution":
        convolutions = convolution(8, 2), convolution(16, 2), convolution(28)
        return classifier(*convolutions, layers.Flatten())
    pooling = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
    filters, end = (8, 16, 28), layers.Flatten()
    if kind == "global average":
        filters, end = (12, 24, 134), layers.GlobalAveragePooling2D()
    first, second, third = (convolution(n) for n in filters)
    return classifier(first, pooling(2), second, pooling(2), third, end)


# %%
KINDS = ["no pooling", "strided convolution", "average", "max", "global average"]
{kind: build(kind).count_params() for kind in KINDS}

# %% [markdown]
# ### Exercise 6: predict it
#
# Which of the five keeps the highest accuracy, averaged over all displacements from 1 to 8 pixels? Set
# `steadiest` to one of the five names, **before** you run the experiment. A bold guess is fine here: the
# check compares it with what is measured.
#
# <details><summary>Hint</summary>
#
# After two poolings by 2, neighbors in the map are four pixels of the image apart. So a digit that has
# moved by eight stands two places further on in the last map. Has the dense layer after a `Flatten`
# learned what it means there? And what reaches the dense layer after a global average?
# </details>

# %% tags=["exercise:steadiest"]
steadiest = None
### BEGIN SOLUTION
steadiest = "global average"
### END SOLUTION

# %% [markdown]
# Every network is trained three times from different random weights, for three epochs on the same 4,000
# images. Fifteen short trainings take a minute or more on two cores. In the result each line is a kind and
# each column a displacement; the numbers are accuracies, each the mean of the three trainings.

# %%
curves = {kind: [] for kind in KINDS}
for kind, seed in training.track([(kind, seed) for kind in KINDS for seed in range(3)]):
    keras.utils.set_random_seed(seed)
    network = build(kind)
    optimizer = keras.optimizers.Adam(6e-3)
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(x_train, y_train, batch_size=64, epochs=3, verbose=0)
    moved = np.concatenate([displace(x_test, distance) for distance in range(9)])
    answers = network.predict(moved, batch_size=400, verbose=0).argmax(axis=1).reshape(9, -1)
    curves[kind].append((answers == y_test).mean(axis=1))
curves = {kind: np.array(accuracy) for kind, accuracy in curves.items()}
print(f"{'':20}", *(f"{distance:5}" for distance in range(9)), " pixels")
for kind, accuracy in curves.items():
    print(f"{kind:20}", *(f"{value:5.2f}" for value in accuracy.mean(axis=0)))

# %% tags=["check:steadiest"]
check.steadiest(steadiest, curves)

# %% [markdown]
# Now the same as a figure. A band goes from the worst to the best of the three trainings; the digits
# above show what the network is given. Find three things: who is worst at 0? Who falls most
# slowly among the four that end in `Flatten`? Where does each of the four cross 50 %?

# %%
figure = plt.figure(figsize=(7.4, 5))
top, main = figure.subplots(2, 1, height_ratios=[1, 4.4])
for distance in (0, 2, 4, 6, 8):
    picture, place = displace(x_test[:1], distance)[0, :, :, 0], (distance - 0.6, distance + 0.6)
    top.imshow(picture, extent=(*place, 0, 1), aspect="auto", vmin=0, vmax=255)
top.set(xlim=(-0.7, 8.7), ylim=(0, 1))
top.axis("off")
looks = zip("osD^v", [plots.BLACK, plots.PINK, plots.SKY, plots.VERMILION, plots.BLUE], strict=True)
for (marker, color), (kind, accuracy) in zip(looks, curves.items(), strict=True):
    distance = np.arange(9)
    main.plot(distance, accuracy.mean(axis=0), marker=marker, color=color, label=kind)
    main.fill_between(distance, accuracy.min(axis=0), accuracy.max(axis=0), color=color, alpha=0.25)
main.axhline(0.1, color="gray", linewidth=1, linestyle=":")
main.text(0, 0.11, "guessing", color="dimgray")
main.set(xlim=(-0.7, 8.7), ylim=(0, 1), xlabel="displacement (pixels)", ylabel="test accuracy")
main.legend(loc="center right", bbox_to_anchor=(1, 0.56))
plots.show(
    figure,
    alt="Accuracy against the displacement of the digit, for five networks. Four start high and "
    "fall to guessing by eight pixels, without pooling first and max pooling last. The global "
    "average starts lower and stays level.",
)

# %% [markdown]
# Between two displacements a curve is a straight line. Where each of the four crosses 50 %:

# %%
for kind in KINDS[:4]:
    level = curves[kind].mean(axis=0)
    after = np.argmax(level < 0.5)
    part = (level[after - 1] - 0.5) / (level[after - 1] - level[after])
    print(f"{kind:20} crosses 50 % at {after - 1 + part:.1f} pixels")

# %% [markdown]
# Four of the five have learned *where* the strokes of a digit are. When the digit moves, their accuracy
# falls to that of guessing. A coarser map delays the fall by less than a pixel. Most of that comes with a
# strided convolution already; average and max pooling add little to it. Be careful with these
# differences: the bands touch, and the network without pooling differs from the others in one more
# thing. Its dense layer takes so many weights that two channels are all its last convolution can afford.
#
# The global average doesn't care where the digit is. It pays for that in the middle, where it makes the
# most mistakes after the same three epochs. (Whether more epochs would close the gap we haven't tried.)
#
# One measured number for it: what share of its accuracy is left at 8 pixels?

# %%
level = curves["global average"].mean(axis=0)
check.reached(
    "share of the global average's accuracy that is left at 8 pixels",
    min(level[8] / level[0], 1),  # by chance it can be a little more than all
    at_least=0.9,
    hint="Build and train the five networks again with the cells above, unchanged.",
)

# %% [markdown]
# <details><summary>Think: why do the accuracies of the four fall to guessing, and not to zero?</summary>
#
# In the end their answers have little to do with the digit, and there are ten classes: answers that have
# nothing to do with the digit are right about once in ten. It may be a little less: a digit that has
# moved can look like *another* one in the old place.
# </details>

# %% [markdown]
# ## What pooling forgets
#
# A pooled map says *that* a pattern is somewhere in the window, not where. So different images must
# have the same pooled map. You can make one.

# %% [markdown]
# ### Exercise 7: a twin
#
# `image` is the photograph from above, made coarser by averaging, with values from 0 to 1. Make `twin`:
# an array of the same shape, with values from 0 to 1, that has the same map after 2 x 2 max pooling, but
# differs from `image` in **at least half of all pixels**. Any way will do.
#
# For an image `[[0.1, 0.9], [0.4, 0.2]]`, one window, `[[0.9, 0.2], [0.4, 0.2]]` is a twin: its maximum
# is 0.9, too, and two of four pixels are different.
#
# <details><summary>Hint 1</summary>
#
# What may you do with the four pixels of a window without changing its maximum?
# </details>
# <details><summary>Hint 2</summary>
#
# `image[0::2]` are the upper rows of all windows and `image[1::2]` the lower ones. Begin with
# `twin = image.copy()`, change `twin`, and take what you write into it from `image`: a slice of `twin`
# itself changes together with `twin`.
# </details>

# %%
image = coarse["average"] / 255
image.shape

# %% tags=["exercise:twin"]
twin = None
### BEGIN SOLUTION
twin = image.copy()
twin[0::2], twin[1::2] = image[1::2], image[0::2]
### END SOLUTION

# %% tags=["check:twin"]
check.twin(twin, image)

# %% [markdown]
# Here is a twin that keeps nothing but the largest pixels of the windows; all other pixels are black.
# Look at it, and then at the two pooled maps.

# %%
pooled = shrink(image, 2, np.max)
winners = image == pooled.repeat(2, axis=0).repeat(2, axis=1)
example = np.where(winners, image, 0)
shown = {
    "image": image,
    "a twin": example,
    "image, pooled": pooled,
    "twin, pooled": shrink(example, 2, np.max),
}
figure, axes = plt.subplots(2, 2, figsize=(7, 4.9))
for axis, (name, picture) in zip(axes.flat, shown.items(), strict=True):
    axis.imshow(picture, vmin=0, vmax=1)
    axis.set_title(name)
    axis.axis("off")
plots.show(
    figure,
    alt="Above, the coarse photograph, and a twin in which most pixels are black. Below, their "
    "max-pooled maps, which are equal.",
)

# %% [markdown]
# From the pooled map alone nobody can tell which of the two it was. For *what is in the picture?* this
# loss is often harmless. Is it harmless for *where is it?*, too?
#
# The last experiment asks both questions at once. Now every digit is moved, in training and in the test,
# by up to four pixels down or up, and left or right. Two of the networks from above get a second output
# of two numbers: how far down and how far right of the middle the digit is. One network ends in
# `Flatten`, the other in the global average. Which of them answers *which digit*, which *where*?
#
# In Keras such a network is a `keras.Model` with a dictionary of outputs. Each output has a loss of its
# own, here the cross-entropy for the digit and the mean squared error (`"mse"`) for the place;
# `loss_weights` says how much each counts in their sum.


# %%
def scatter(images, random):
    """Move every digit by up to 4 pixels each way; return images and moves (n, 2), down and right."""
    moves = random.integers(-4, 5, (len(images), 2))
    moved = [np.roll(image, move, axis=(0, 1)) for image, move in zip(images, moves, strict=True)]
    return np.array(moved), moves


# %%
def with_place(kind):
    """Return a network of this kind with two outputs: the digit and its place."""
    network = build(kind)
    features = network.layers[-2].output
    outputs = {"digit": network.layers[-1].output, "place": layers.Dense(2)(features)}
    return keras.Model(network.inputs[0], outputs)


# %% [markdown]
# The two trainings take about fifteen seconds. To have a scale for the error of the place, we also give
# that of a network that knows nothing and always answers *in the middle*.

# %%
random = np.random.default_rng(4)
(x_moved, moves), (x_new, new_moves) = scatter(x_train, random), scatter(x_test, random)
losses = {"digit": "sparse_categorical_crossentropy", "place": "mse"}
place_error = {"always the middle": np.abs(new_moves).mean()}
for kind in training.track(["average", "global average"]):
    keras.utils.set_random_seed(4)
    network = with_place(kind)
    network.compile(keras.optimizers.Adam(3e-3), losses, loss_weights={"digit": 1, "place": 0.1})
    targets = {"digit": y_train, "place": moves.astype("float32")}
    network.fit(x_moved, targets, batch_size=32, epochs=4, verbose=0)
    answer = {name: keras.ops.convert_to_numpy(a) for name, a in network(x_new).items()}
    accuracy = np.mean(answer["digit"].argmax(axis=1) == y_test)
    place_error[kind] = np.abs(answer["place"] - new_moves).mean()
    print(f"{kind:16} accuracy {accuracy:.2f}")
{kind: f"{error:.2f} pixels" for kind, error in place_error.items()}

# %% [markdown]
# Both can tell *which* digit it is: a network with `Flatten` that has *seen* moved digits in training
# reads them, too, though not as well as digits that always stand in the middle. Only one can tell
# *where* it is: the error of the global average is about that of a network that knows nothing. (Each
# was trained only once.)

# %%
check.reached(
    "error of the place with Flatten, in pixels",
    place_error["average"],
    at_most=1.2,
    hint="Train the two networks again with the cells above, unchanged.",
)

# %% [markdown]
# Some tasks ask for *where* at every pixel: which pixels are cloud, which are tumor, which are cat? A
# network that pools must then find a way to bring back what pooling forgot. That is the idea of the
# **U-Net** (Ronneberger, Fischer and Brox, 2015) in lab 06: it hands the fine maps from before each
# pooling over to the layers that enlarge the maps again.

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - Pooling makes one number of every window, channel by channel, and learns nothing. With `"valid"` an
#   axis gets floor((n - size) / stride) + 1 windows, with `"same"` n / stride, rounded up.
# - Max keeps small bright things and sends the whole gradient to the winner. The average suppresses
#   noise, keeps large faint things, and shares the gradient.
# - It saves activations, multiplications and time, and widens the view: every layer after it takes longer
#   steps in the image.
# - Two poolings by 2 made up for a movement of less than a pixel. In our field the global average didn't
#   notice any movement, and couldn't say where the digit was. Training with moved digits is another way to
#   read them.
#
# ### Go further
#
# - Replace the global average by `GlobalMaxPooling2D` in the shift experiment. Is it better in the
#   middle, and is it as steady?
# - Train the network *no pooling* on `x_moved`. How much of the figure's fall is healed, and what does it
#   cost in the middle?
# - Blur before you drop pixels: `AveragePooling2D(3, strides=1)` and then a stride of 2. Zhang (2019)
#   shows why this makes networks steadier.
# - In the network *global average*, give the twelve channels of the first convolution an `AveragePooling2D(4)` and leave the second
#   pooling out. What happens to the size, to the receptive field, and to the accuracy?
#
# ### References
#
# - Y.-L. Boureau, J. Ponce and Y. LeCun (2010): *A theoretical analysis of feature pooling in visual
#   recognition*. ICML.
# - M. Lin, Q. Chen and S. Yan (2014): *Network in network*. ICLR. (Global average pooling.)
# - J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller (2015): *Striving for simplicity: the
#   all convolutional net*. ICLR workshop. (Strides in the place of pooling.)
# - M. A. Islam, S. Jia and N. Bruce (2020): *How much position information do convolutional neural
#   networks encode?* ICLR.
# - O. Ronneberger, P. Fischer and T. Brox (2015): *U-Net: convolutional networks for biomedical image
#   segmentation*. MICCAI.
# - R. Zhang (2019): *Making convolutional networks shift-invariant again*. ICML.
