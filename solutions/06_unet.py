# %% [markdown]
# # Segmentation with a U-Net
#
# A classifier says *what* is in a photo. Here we also ask *where*: every single pixel gets a class.
# This is called **segmentation**; it is used to outline tumors, roads, clouds or storms. After this
# lab you will be able to
#
# - judge a segmentation by IoU and Dice for each class, and say why accuracy misleads,
# - enlarge a map with a transposed convolution, which you write by hand,
# - build a U-Net, and show what its skips are for,
# - augment image and mask together,
# - use a trained backbone as encoder, and make rare classes count.
#
# You need about three hours. The notebook computes for two and a half to four minutes on two CPU
# cores and takes up to 1.6 GB of memory. The photos: cats and dogs of the Oxford-IIIT Pet data.
# Offline: the drawn animals of lab 05. The weather at the end is made by the lab itself.

# %%
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from helpers import backbones, data, plots, training
from helpers.checks import unet as check

# %% [markdown]
# ## A class for each pixel
#
# The answer to a photo is now a **mask**, as large as the photo, with a class in each pixel. There
# are three: 0 for the animal (`pet`), 1 for the background, and 2 for the **border**, a narrow band
# between them where even people don't agree. We keep a part of the photos for the test.

# %%
pets = data.pets()
names, side = pets.classes, pets.images.shape[1]
test = len(pets.images) // 4
x_train, y_train = pets.images[test:], pets.masks[test:]
x_test, y_test = pets.images[:test], pets.masks[:test]
print(f"{len(x_train)} photos to learn from, {len(x_test)} for the test, side {side}")
for k, name in enumerate(names):
    print(f"{k} {name:10} {np.mean(y_train == k):.1%} of the pixels")

# %% [markdown]
# Look at the photos and, below each, its mask: animal blue, border orange, background left white.
# The border is only a few pixels wide, all around the animal. Where would you yourself find it hard
# to draw?

# %%
COLORS = ListedColormap([plots.BLUE, "white", plots.ORANGE])


def show_rows(rows, alt, columns=6):
    """Show rows of pictures, {title: images or masks of classes}, one column for each photo."""
    figure, axes = plt.subplots(len(rows), columns, figsize=(1.45 * columns, 1.5 * len(rows)))
    for line, (title, pictures) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(title)
        for axis, picture in zip(line, pictures, strict=False):
            axis.imshow(picture, cmap=COLORS, vmin=0, vmax=2, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(True)
    plots.show(figure, alt=alt)


# %%
show_rows(
    {"photo": x_test, "mask": y_test},
    alt="Six photos of animals, and below each its mask: the body blue, a narrow orange band around "
    "it, the background white.",
)

# %% [markdown]
# ## How good is a mask?
#
# The **accuracy** is the share of pixels with the right class. It misleads: whoever answers
# "background" everywhere gets all the background right, and finds no animal at all. So compare, for
# each class, the pixels that *have* it with those that were *predicted* to have it. The
# **intersection** is what both have in common, the **union** what at least one of them has, and the
# score is *intersection over union*:
#
# $$\mathrm{IoU} = \frac{\text{intersection}}{\text{union}}$$
#
# It is 1 if they are the same pixels and 0 if they have none in common. A class that is in neither
# mask has no IoU: 0 / 0.

# %% [markdown]
# ### Exercise 1: IoU
#
# Write `iou(truth, predicted, classes)`. `truth` and `predicted` are arrays of whole numbers with
# the same shape, one mask `(h, w)` or many `(n, h, w)`; `classes` is the number of classes. Return
# an array `(classes,)` with the IoU of each class over all pixels together, and `np.nan` for a
# class that is in neither of them.
#
# With `truth = [[0, 0], [1, 1]]`, `predicted = [[0, 1], [1, 1]]` (as arrays) and three classes:
# class 0 has one pixel in common and two in the union, class 1 two and three, class 2 none at all.
# The result is `[0.5, 0.667, nan]`.
#
# <details><summary>Hint 1</summary>
#
# `a = truth == k` is True where the class is k, `b` the same for the prediction. `a & b` is the intersection and
# `a | b` the union; `np.sum` counts what is True.
# </details>
# <details><summary>Hint 2</summary>
#
# Begin with `scores = np.full(classes, np.nan)`, and fill in only classes with a union.
# </details>


# %% tags=["exercise:iou"]
def iou(truth, predicted, classes):
    """Return intersection over union of each class, (classes,), NaN for one that is in neither."""
    ### BEGIN SOLUTION
    scores = np.full(classes, np.nan)
    for k in range(classes):
        a, b = np.equal(truth, k), np.equal(predicted, k)
        union = np.sum(a | b)
        if union:
            scores[k] = np.sum(a & b) / union
    return scores
    ### END SOLUTION


# %% tags=["check:iou", "nbval-check-output"]
check.iou(iou)

# %% [markdown]
# ### Exercise 2: Dice
#
# In medicine another score is common, **Dice**: twice the intersection, divided by the *sum* of
# both sizes,
#
# $$\mathrm{Dice} = \frac{2 \cdot \text{intersection}}{\text{pixels that have the class} + \text{pixels predicted to have it}}$$
#
# Write `dice(truth, predicted, classes)` with the same arguments and the same result as `iou`. In
# the example above class 0 has 2 * 1 / (2 + 1) = 0.667, class 1 has 2 * 2 / (2 + 3) = 0.8.
#
# <details><summary>Hint</summary>
#
# Only the quotient differs from `iou`.
# </details>


# %% tags=["exercise:dice"]
def dice(truth, predicted, classes):
    """Return the Dice score of each class, (classes,), NaN for one that is in neither."""
    ### BEGIN SOLUTION
    scores = np.full(classes, np.nan)
    for k in range(classes):
        a, b = np.equal(truth, k), np.equal(predicted, k)
        if np.any(a | b):
            scores[k] = 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))
    return scores
    ### END SOLUTION


# %% tags=["check:dice", "nbval-check-output"]
check.dice(dice)

# %% [markdown]
# Dice is never the smaller of the two: it is 2 IoU / (1 + IoU). So don't compare one paper's Dice with
# another's IoU. We report the IoU by your function, and its mean over the three classes.

# %%
results = {}


def report(name, predicted):
    """Print and keep the scores of predicted masks for the test photos."""
    scores = results[name] = np.asarray(iou(y_test, predicted, 3))
    listed = "  ".join(f"{score:10.3f}" for score in scores)
    print(f"{name:16} {np.mean(predicted == y_test):8.1%}  {listed}  {scores.mean():8.3f}")


# %% [markdown]
# Three answers that don't look at shapes at all, as yardsticks:
#
# - *majority*: background everywhere,
# - *position*: for each pixel the class that is most frequent there in the training masks,
# - *color*: a network that sees one pixel at a time and nothing around it. (In Keras a dense layer
#   acts on the last axis, here on the three colors of each pixel; so it *is* a 1 x 1 convolution.)
#
# The networks of this lab end with a *score* for each class and pixel, its logit (lab 01). The loss
# makes probabilities of the scores itself, by a softmax (`from_logits=True`), and takes the mean of
# the cross-entropy over all pixels. The class with the largest score is the answer.
#
# Before you look: which accuracy has the first? Which mean IoU? It takes about ten seconds, most of
# them to load Keras.

# %%
import keras
from keras import layers

keras.utils.set_random_seed(6)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
header = f"{'':16} accuracy  " + "  ".join(f"{name:>10}" for name in names) + "  mean IoU"
print(header)
report("majority", np.ones_like(y_test))
frequent = np.argmax([np.mean(y_train == k, axis=0) for k in range(3)], axis=0)
report("position", np.broadcast_to(frequent, y_test.shape))
pixel_wise = keras.Sequential(
    [
        keras.Input((side, side, 3)),
        layers.Rescaling(1 / 127.5, -1),
        layers.Dense(32, activation="relu"),
        layers.Dense(3),
    ]
)
pixel_wise.compile(keras.optimizers.Adam(0.01), LOSS)
bar = training.progress()
pixel_wise.fit(x_train, y_train, batch_size=8, epochs=2, verbose=0, callbacks=bar)
report("color", pixel_wise.predict(x_test, 8, verbose=0).argmax(axis=-1))

# %% [markdown]
# The accuracy of the first is the share of the background, and looks passable. That share is also
# its IoU of the background; the other two classes have 0, so the mean IoU is a third of it, and
# shows what the answer is worth. None of the three finds a border. Position helps, because animals
# are mostly in the middle. Color alone tells almost nothing, at least to so small a network: no
# better than background everywhere. So a network has to look around each pixel: far, to see that
# there is an animal, and closely, to see where it ends.

# %% [markdown]
# ## The way up
#
# To look far, the CNNs of lab 04 make their maps smaller, and forget *where*. We need a way back up
# to the full size. The **transposed convolution** is a convolution run backwards (it is not its
# inverse): each pixel of the small map *stamps* the kernel, multiplied by its value, onto the large
# one, `stride` pixels apart; where stamps overlap, they add up.

# %% [markdown]
# ### Exercise 3: a transposed convolution
#
# Write `transposed_convolution(image, kernel, stride)` for an image `(h, w)` and a kernel `(k, k)`.
# Pixel `[i, j]` stamps `image[i, j] * kernel`, with the upper left corner of the stamp at
# `[i * stride, j * stride]`. The result has the shape
# `((h - 1) * stride + k, (w - 1) * stride + k)`. Return floats. `stride` is at most `k`.
#
# With the image `[[1, 2], [3, 4]]`, a kernel of 2 x 2 ones and stride 1 the result is
# `[[1, 3, 2], [4, 10, 6], [3, 7, 4]]`; with stride 2 each pixel becomes a block of 2 x 2.
#
# <details><summary>Hint</summary>
#
# Begin with zeros (floats). For each pixel: `out[top : top + k, left : left + k] += ...`
# </details>


# %% tags=["exercise:transposed_convolution"]
def transposed_convolution(image, kernel, stride):
    """Return the sum of all stamps, ((h - 1) * stride + k, (w - 1) * stride + k)."""
    ### BEGIN SOLUTION
    image, kernel = np.asarray(image), np.asarray(kernel)
    (h, w), k = image.shape, len(kernel)
    out = np.zeros(((h - 1) * stride + k, (w - 1) * stride + k))
    for i in range(h):
        for j in range(w):
            top, left = i * stride, j * stride
            out[top : top + k, left : left + k] += image[i, j] * kernel
    return out
    ### END SOLUTION


# %% tags=["check:transposed_convolution", "nbval-check-output"]
check.transposed_convolution(transposed_convolution)

# %% [markdown]
# In Keras it is `Conv2DTranspose(filters, 2, strides=2)`, and the kernel is *learned*. Other ways
# up have nothing to learn: `UpSampling2D` repeats each pixel, or interpolates. Here are three ways
# for one small map, with thin lines between the pixels. What does an unlucky kernel of 3 x 3 with
# stride 2 do?

# %%
small = np.add.outer(np.arange(2, 7), np.arange(5)).astype("float32")
ways = {
    "small map, 5 x 5": small,
    "repeated, 10 x 10": keras.ops.repeat(keras.ops.repeat(small, 2, axis=0), 2, axis=1),
    "interpolated": keras.ops.image.resize(small[..., None], (10, 10))[..., 0],
    "3 x 3 ones, stride 2": keras.ops.conv_transpose(
        small[None, ..., None], np.ones((3, 3, 1, 1), "float32"), strides=2, padding="same"
    )[0, ..., 0],
}
figure, axes = plt.subplots(1, 4, figsize=(9, 2.5))
for axis, (name, picture) in zip(axes, ways.items(), strict=True):
    axis.imshow(keras.ops.convert_to_numpy(picture), cmap="gray")
    edges = np.arange(0.5, len(picture) - 1)
    axis.hlines(edges, -0.5, len(picture) - 0.5, color=plots.SKY, lw=0.4)
    axis.vlines(edges, -0.5, len(picture) - 0.5, color=plots.SKY, lw=0.4)
    axis.set(title=name, xticks=[], yticks=[])
plots.show(
    figure,
    alt="A map of 5 by 5 that gets brighter towards a corner, and three enlargements to 10 by 10: blocks "
    "of 4 when repeated, smooth when interpolated, a checkerboard with 3 by 3 ones at stride 2.",
)

# %% [markdown]
# Where 3 x 3 stamps overlap at stride 2, some pixels get one stamp, some two, some four: a
# **checkerboard** (Odena et al. 2016). A kernel whose size is a multiple of the stride has no uneven
# overlap, so we take 2 x 2.

# %% [markdown]
# ## The U-Net
#
# The way up from a small map gives large shapes with blurred outlines, since the small map no
# longer knows exactly *where*. The idea of the **U-Net** (Ronneberger et al. 2015): on the way down
# keep each map before it is pooled, and on the way up put it beside the enlarged map of the same
# size. These **skips** carry *where*, the way through the bottom carries *what*, and the next
# convolution combines both. The way down is called **encoder**, the way up **decoder**.

# %% [markdown]
# ### Exercise 4: a decoder block
#
# Write `decoder_block(x, skip, filters)`, one step up, with layers of Keras:
#
# - enlarge `x` `(n, h, w, c)` by a `Conv2DTranspose` with `filters` filters, kernel 2 and stride 2,
#   to `(n, 2h, 2w, filters)`,
# - put `skip` `(n, 2h, 2w, d)` beside it along the channels: `layers.Concatenate()([a, b])`; if
#   `skip` is `None`, leave this out,
# - then a 3 x 3 convolution to `filters` channels, padding "same", with a ReLU. (A batch
#   normalization before the ReLU is welcome.)
#
# For `x` `(1, 8, 8, 64)`, a skip `(1, 16, 16, 24)` and 32 filters the result is `(1, 16, 16, 32)`.
#
# <details><summary>Hint</summary>
#
# Three steps, each `x = layers.Something(...)(x)`; the middle one under `if skip is not None:`.
# </details>


# %% tags=["exercise:decoder_block"]
def decoder_block(x, skip, filters):
    """Return a map of twice the height and width with `filters` channels, combined with a skip."""
    ### BEGIN SOLUTION
    x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
    if skip is not None:
        x = layers.Concatenate()([x, skip])
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    ### END SOLUTION


# %% tags=["check:decoder_block:2", "nbval-check-output"]
check.decoder_block(decoder_block)

# %% [markdown]
# Now the whole network. On the way down each level convolves twice (the first, whose map is the
# largest, only once, to save time), keeps its map, and pools. At the bottom the network convolves
# once more, and then climbs with your decoder block. The last layer, 1 x 1, gives a score for each
# class and pixel. `skips=False` leaves the skips out; all else stays. In this sketch each line is a
# level, with the side of its map as a fraction of the photo's:
#
# ```text
# side 1     convolve ---------------- skip ---------------> decoder block, scores
#      1/2      convolve ------------ skip -----------> decoder block
#      1/4         convolve -------- skip -------> decoder block
#      1/8            convolve ---- skip ---> decoder block
#      1/16                    convolve
# ```


# %%
def convolve(x, filters):
    """Return the map after a 3 x 3 convolution, batch normalization and a ReLU."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def unet(shape, outputs, widths=(16, 32, 64, 96), skips=True):
    """Return a U-Net for images of a shape (h, w, channels); h and w are multiples of 16."""
    image = keras.Input(shape)
    x, maps = layers.Rescaling(1 / 127.5, -1)(image), []
    for filters in widths:
        x = convolve(x, filters)
        if maps:  # at the full size, a second one would take most of the time
            x = convolve(x, filters)
        maps.append(x)
        x = layers.MaxPooling2D()(x)
    x = convolve(x, widths[-1])
    for filters, kept in zip(widths[::-1], maps[::-1], strict=True):
        x = decoder_block(x, kept if skips else None, filters)
    return keras.Model(image, layers.Conv2D(outputs, 1)(x))


# %%
network = unet((side, side, 3), 3)
for layer in network.layers:
    if isinstance(layer, (layers.MaxPooling2D, layers.Conv2DTranspose, layers.Concatenate)):
        print(f"{type(layer).__name__:16} {' x '.join(map(str, layer.output.shape[1:])):>14}")
print(f"{network.count_params():,} parameters")

# %% [markdown]
# Read the shapes from top to bottom: down to a map of a sixteenth of the side and up again, like
# the letter U.

# %% [markdown]
# ## Image and mask move together
#
# With few photos we need augmentation (lab 02). But if the photo is mirrored, the mask must be,
# too. And a mask must never be interpolated: halfway between 0 (animal) and 2 (border) interpolation
# would write 1: background.

# %% [markdown]
# ### Exercise 5: augment both alike
#
# Write `augment(image, mask, rng)` for one image `(h, w, 3)` and its mask `(h, w)`:
#
# - with probability 1/2 both are mirrored left-right,
# - both are shifted up or down by one whole number of pixels and left or right by another. The two
#   numbers are drawn independently from -4 to 4, each of the nine with the same probability. The
#   gap that opens at an edge is filled by repeating the pixels of the edge.
#
# For example, a mask with the one row `[0, 1, 2]`, mirrored and then shifted right by 1, becomes
# `[2, 2, 1]`.
#
# Draw every random number from `rng`, a generator of NumPy. Return a new image and a new mask of
# the same shapes and types; the ones you were given stay as they are.
#
# A shift by padding: pad by 4 pixels on each side with `np.pad(mask, 4, mode="edge")`, then cut `h`
# x `w` out. Cut from row 4 on, the picture is as it was; cut from row `4 - down` on, it is shifted
# down by `down`. With columns it is the same. Of the image only the first two axes are padded:
# `((4, 4), (4, 4), (0, 0))`.
#
# <details><summary>Hint 1</summary>
#
# Draw everything first: `flip = rng.random() < 0.5` and `down, right = rng.integers(-4, 5, size=2)`. Then do the same
# to both.
# </details>
# <details><summary>Hint 2</summary>
#
# `array[:, ::-1]` mirrors left-right, for an image as for a mask.
# </details>


# %% tags=["exercise:augment"]
def augment(image, mask, rng):
    """Return image and mask, mirrored or not and shifted by up to 4 pixels, both alike."""
    ### BEGIN SOLUTION
    h, w = mask.shape
    flip = rng.random() < 0.5
    top, left = rng.integers(0, 9, size=2)
    image = np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="edge")
    mask = np.pad(mask, 4, mode="edge")
    image = image[top : top + h, left : left + w]
    mask = mask[top : top + h, left : left + w]
    return (image[:, ::-1].copy(), mask[:, ::-1].copy()) if flip else (image.copy(), mask.copy())
    ### END SOLUTION


# %% tags=["check:augment:2", "nbval-check-output"]
check.augment(augment)

# %% [markdown]
# What if somebody moves the photo and forgets the mask? The figure shows one photo, moved four
# times. White is the border of a mask: in the upper row of the one that moved together with the
# photo, in the lower row of the one that stayed where it was. And a number: the IoU between the
# masks that moved and those that stayed. A network that finds every outline exactly would get no
# more on such data.


# %%
def outlined(images, masks):
    """Return copies of images in which the border of the mask is white."""
    pairs = zip(images, masks, strict=True)
    return [np.where(mask[..., None] == 2, 255, image) for image, mask in pairs]


# %%
rng = np.random.default_rng(7)
moved, together = zip(*[augment(x_test[0], y_test[0], rng) for _ in range(4)], strict=True)
show_rows(
    {"together": outlined(moved, together), "apart": outlined(moved, [y_test[0]] * 4)},
    alt="One photo, mirrored and shifted four times. Above, the white outline of the mask follows the "
    "animal; below it stays behind, and is on the wrong side where the photo was mirrored.",
    columns=4,
)
alone = np.array([augment(image, mask, rng)[1] for image, mask in zip(x_test, y_test, strict=True)])
print("IoU of the masks that moved with those that stayed:", np.round(iou(y_test, alone, 3), 2))

# %% [markdown]
# The animal loses much, and the border most of what it has. And no error message warns you: the
# network would only learn blurred outlines.

# %% [markdown]
# ### Exercise 6: what suffers without skips?
#
# We train two networks with the same settings, one with skips and one without. Which class loses
# most IoU when the skips are left out? Write its name into `suffers`, `"pet"`, `"background"` or
# `"border"`, **before** you train.
#
# <details><summary>Hint</summary>
#
# Without skips everything comes through a map of a sixteenth of the side. Which class is only a few pixels wide?
# </details>

# %% tags=["exercise:suffers"]
suffers = None
### BEGIN SOLUTION
suffers = "border"
### END SOLUTION

# %% [markdown]
# Each epoch sees every training photo once, augmented anew. (`-(-n // 8)` is n / 8, rounded up: the
# number of batches.)


# %%
def train(network, epochs):
    """Train on augmented photos, at a rate that falls along a cosine; return the test masks."""
    rng, steps = np.random.default_rng(6), epochs * -(-len(x_train) // 8)
    falling = keras.optimizers.schedules.CosineDecay(0.004, steps)
    network.compile(keras.optimizers.Adam(falling), LOSS)
    for _ in training.track(range(epochs)):
        pairs = [augment(*pair, rng) for pair in zip(x_train, y_train, strict=True)]
        images, masks = map(np.array, zip(*pairs, strict=True))
        network.fit(images, masks, batch_size=8, verbose=0)
    return network.predict(x_test, 8, verbose=0).argmax(axis=-1)


# %% [markdown]
# First without skips, then with them. Each takes about 40 seconds to a minute. We also keep what
# the network says before any training.

# %%
EPOCHS = 10 if pets.source.real else 3
keras.utils.set_random_seed(6)
network = unet((side, side, 3), 3, skips=False)
predictions = {"untrained": network.predict(x_test, 8, verbose=0).argmax(axis=-1)}
predictions["without skips"] = train(network, EPOCHS)

# %%
keras.utils.set_random_seed(6)
predictions["with skips"] = train(unet((side, side, 3), 3), EPOCHS)

print(header)
for name in ("without skips", "with skips"):
    report(name, predictions[name])

# %% tags=["check:suffers"]
check.suffers(suffers, results["with skips"], results["without skips"], names)

# %% [markdown]
# The border most of all: it depends on *where*, and *where* came through the skips. Look at it: the
# first row shows the photos, the next three the masks of the network before any training, without
# skips and with skips, and the last one the truth. What can the network without skips do, and what
# can't it?

# %%
show_rows(
    {"photo": x_test, **predictions, "truth": y_test},
    alt="Six photos and four masks of each. Untrained: noise. Without skips: a smooth shape, with the "
    "offline photos in an even band as border, with real photos without any. With skips: a finer "
    "outline, but ragged and in places torn. At the bottom the true masks.",
)

# %% [markdown]
# Without skips the network draws a smooth shape roughly where the animal is: offline mostly with an
# even band as border, on the real photos with none, and there it is only somewhat better than
# *position* above. With skips the outline is finer, but ragged and in places torn.
#
# Where is it wrong? For the animal alone, the next figure marks in blue what was found (*true
# positives*), in orange-red what was taken for an animal but is none (*false positives*), and in
# black what was missed (*false negatives*). The orange-red includes pixels of the border, where
# even people don't agree. Which mistakes do the skips mend, and which don't they?

# %%
MISTAKES = ListedColormap(["white", plots.BLUE, plots.VERMILION, plots.BLACK])


def mistakes(predicted):
    """Return 1 for true positives, 2 for false positives, 3 for false negatives, 0 elsewhere."""
    found, there = predicted == 0, y_test == 0
    return np.select([found & there, found & ~there, ~found & there], [1, 2, 3], 0)


# %%
figure, axes = plt.subplots(2, 6, figsize=(8.7, 3.1))
for line, name in zip(axes, ("without skips", "with skips"), strict=True):
    line[0].set_ylabel(name)
    kinds = mistakes(predictions[name])
    false = np.sum(kinds == 2) / max(np.sum(predictions[name] == 0), 1)
    missed = np.sum(kinds == 3) / np.sum(y_test == 0)
    print(f"{name:13} {false:.1%} of what was called animal are false alarms,", end=" ")
    print(f"{missed:.1%} of the animals' pixels are missed")
    for axis, picture in zip(line, kinds, strict=False):
        axis.imshow(picture, cmap=MISTAKES, vmin=0, vmax=3, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
for x, (word, color) in zip(
    (0.3, 0.5, 0.7),
    [("found", plots.BLUE), ("false alarm", plots.VERMILION), ("missed", plots.BLACK)],
    strict=True,
):
    figure.text(x, 1.0, "\N{BLACK SQUARE}", color=color, ha="right")
    figure.text(x + 0.01, 1.0, word)
plots.show(
    figure,
    alt="For six photos, what was found of the animal in blue, false alarms in orange-red and missed "
    "parts in black, without skips above and with skips below.",
)

# %% [markdown]
# With skips there are fewer false alarms on the whole, though not in every photo; on the real photos
# no less is missed. Two kinds of mistakes remain: thin parts that are missed, and whole
# regions that are wrong. The regions are not a question of *where* but of *what*, and for that the
# network has seen too few photos.

# %% [markdown]
# ## An encoder that knows animals
#
# Lab 05 showed what helps with few photos: a backbone that was trained before. It can be the way
# down of a U-Net, its encoder. We freeze it, take its maps before each halving as skips, and train
# the way up alone. Its batch normalization keeps its averages, since it is frozen. The backbone
# scales the photos itself, so no `Rescaling` is needed.


# %%
def unet_with_backbone(backbone, filters=(96, 64, 32, 16)):
    """Return a U-Net that has a frozen backbone as its way down."""
    backbone.trainable = False
    kept = [backbone.get_layer(name).output for name in backbones.skips(backbone)]
    x = backbone.output
    for skip, count in zip(kept[::-1], filters, strict=True):
        x = decoder_block(x, skip, count)
    x = decoder_block(x, None, filters[-1])  # up to the full size, for which there is no map
    return keras.Model(backbone.input, layers.Conv2D(3, 1)(x))


# %% [markdown]
# The same photos, and about the same time: without a way down to train, an epoch takes half as long,
# so we make twice as many. It takes half a minute to a minute. Which classes gain? The bar asked for
# next is a mean IoU of 0.68, with real photos 0.64.

# %%
backbone, _ = backbones.pretrained(side, pets.source)
keras.utils.set_random_seed(6)
predictions["backbone"] = train(unet_with_backbone(backbone), 2 * EPOCHS)
print(header)
for name in ("position", "without skips", "with skips"):
    report(name, predictions.get(name, np.broadcast_to(frequent, y_test.shape)))
report("backbone", predictions["backbone"])

# %% [markdown]
# All classes gain, compared with the U-Net from scratch: the features of the backbone tell *what*
# is an animal, and its maps on the way down *where*, with no more photos than before. It had help:
# most breeds of the real photos are among the classes of ImageNet, and offline the backbone has
# learned from drawings of the same making. If your result stays below the bar, look at your decoder
# block and at `augment`.

# %%
check.reached("mean IoU", results["backbone"].mean(), at_least=0.64 if pets.source.real else 0.68)

# %% [markdown]
# ## The same network for the weather: rare events
#
# A U-Net doesn't care what its pixels are. In a map of the moisture in the air there are
# **atmospheric rivers**: long narrow bands that carry water from the tropics to the middle
# latitudes, and bring heavy rain there. In the ClimateNet project (Prabhat et al. 2021) experts
# outlined them, and networks learned to find them. Our maps are made by the lab: a moist south,
# clouds of several sizes, round moist spots that are no rivers, and in half of the maps a river, a
# narrow bent band.


# %%
from scipy.ndimage import gaussian_filter


def make_weather(count, rng, side=64):
    """Return moisture (n, side, side, 1), 0 to 255, and masks (n, side, side), 1 in a river."""
    y, x = np.mgrid[:side, :side]
    moisture, masks = np.empty((count, side, side)), np.zeros((count, side, side), int)
    for field, mask in zip(moisture, masks, strict=True):
        noise = sum(
            a * gaussian_filter(rng.normal(size=y.shape), a, mode="wrap") for a in (2, 4, 8)
        )
        field[:] = 60 + y + 25 * noise
        for _ in range(rng.integers(1, 5)):  # moist spots
            top, left = rng.uniform(0, side, size=2)
            field += 80 * np.exp(-((y - top) ** 2 + (x - left) ** 2) / (2 * rng.uniform(2, 5) ** 2))
        if rng.random() < 0.5:
            slope, bend, start = rng.uniform(-1, 1), rng.uniform(-0.02, 0.02), rng.uniform(10, 54)
            u = x - side / 2
            distance = np.abs(y - start - slope * u - bend * u**2)
            distance /= np.sqrt(1 + (slope + 2 * bend * u) ** 2)  # across the band, not upright
            field += 50 * np.exp(-(distance**2) / 8)
            mask[distance < 2] = 1
    return np.clip(moisture, 0, 255)[..., None].astype("float32"), masks


# %%
rng = np.random.default_rng(6)
x_weather, y_weather = make_weather(400, rng)
x_new, y_new = make_weather(200, rng)
print(f"{y_weather.mean():.1%} of the pixels belong to a river")

# %% [markdown]
# Three maps of moisture (0 to 255, in an invented unit; dark is moist) with a river, and their
# masks. Could you draw the masks yourself?

# %%
with_river = np.flatnonzero(y_new.any(axis=(1, 2)))[:3]
figure, axes = plt.subplots(1, 6, figsize=(9, 1.8))
for k, (moist, answer) in zip(with_river, axes.reshape(3, 2), strict=True):
    moist.imshow(x_new[k, ..., 0], cmap="Blues", vmin=0, vmax=255)
    moist.set_title("moisture", fontsize=10)
    answer.imshow(y_new[k], cmap=ListedColormap(["white", plots.VERMILION]))
    answer.set_title("river", fontsize=10)
for axis in axes:
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(True)
plots.show(
    figure,
    alt="Three maps of moisture with clouds, round spots and a narrow bent band, and beside each the "
    "mask of the band alone.",
)

# %% [markdown]
# ### Exercise 7: weights of the classes
#
# Where nearly all pixels are background, a network can be right nearly everywhere without finding
# one river, and may miss many of them. Do weights help? They let rare classes count more. Write
# `class_weights(masks, classes)`: for an array of whole numbers of any shape return an array
# `(classes,)` with
#
# $$w_k = \frac{\text{pixels}}{\text{classes} \cdot \text{pixels of class } k}$$
#
# and 0 for a class that never occurs. So the pixels of each class that occurs weigh the same in
# total. With the mask `[[0, 0], [0, 1]]` and two classes the weights are 4 / (2 * 3) = 0.667 and
# 4 / (2 * 1) = 2.
#
# <details><summary>Hint</summary>
#
# `np.sum(np.equal(masks, k))` counts the pixels of class k; mind a count of 0.
# </details>


# %% tags=["exercise:class_weights"]
def class_weights(masks, classes):
    """Return the balanced weight of each class, (classes,), 0 for one that never occurs."""
    ### BEGIN SOLUTION
    counts = np.array([np.sum(np.equal(masks, k)) for k in range(classes)])
    return np.where(counts > 0, np.size(masks) / (classes * np.maximum(counts, 1)), 0.0)
    ### END SOLUTION


# %% tags=["check:class_weights", "nbval-check-output"]
check.class_weights(class_weights)

# %% [markdown]
# The same U-Net, narrower, with one channel in and two classes out, is trained once with the plain
# loss and once with your weights. `fit` takes a weight for each pixel: `weights[y]` looks up the
# one of its class. It takes about half a minute. We look at the rivers only: their IoU, which share
# of their pixels was found (**recall**), and which share of the pixels called river are river
# (**precision**). What will the weights change?

# %%
weights = np.asarray(class_weights(y_weather, 2))
rivers = {"truth": y_new == 1}
print(f"weights: {weights.round(2)}")
print(f"a missed river pixel costs as much as {weights[1] / weights[0]:.0f} false alarms")
print("loss      accuracy  IoU of rivers  recall  precision")
for name, sample_weight in training.track([("plain", None), ("weighted", weights[y_weather])]):
    keras.utils.set_random_seed(6)
    network = unet((64, 64, 1), 2, widths=(8, 16, 24, 32))
    network.compile(keras.optimizers.Adam(0.004), LOSS)
    network.fit(
        x_weather, y_weather, batch_size=16, epochs=5, sample_weight=sample_weight, verbose=0
    )
    river = rivers[name] = network.predict(x_new, verbose=0).argmax(axis=-1) == 1
    truth = rivers["truth"]
    hits = np.sum(river & truth)
    print(
        f"{name:9} {np.mean(river == truth):8.1%} {hits / np.sum(river | truth):14.3f}"
        f" {hits / truth.sum():7.1%} {hits / max(river.sum(), 1):10.1%}"
    )

# %% [markdown]
# One of the maps, the truth and both answers:

# %%
figure, axes = plt.subplots(1, 3, figsize=(6.5, 2.4))
for axis, (name, river) in zip(axes, rivers.items(), strict=True):
    axis.imshow(river[with_river[0]], cmap=ListedColormap(["white", plots.VERMILION]))
    axis.set(title=name, xticks=[], yticks=[])
    axis.spines[:].set_visible(True)
plots.show(
    figure,
    alt="The river of one map three times: in truth, as the network with the plain loss draws it, and "
    "wider, as the one with weights does.",
)

# %% [markdown]
# Both accuracies are high, but so would be that of *no river anywhere*: nearly all is background.
# With the plain loss most of the rivers are found already. The weighted network misses far fewer
# river pixels, and pays with more false alarms: it draws rivers too wide. Its IoU is *lower*, for
# its loss doesn't ask for a good IoU: a missed river pixel costs as much as many false alarms (their
# number stands above the table). As with the storms of lab 02, the loss says which mistake you
# prefer, so choose it by what a miss and a false alarm cost.

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - Segmentation gives each pixel a class. Report IoU or Dice of each class, and a baseline;
#   accuracy flatters.
# - A transposed convolution stamps its kernel; let the kernel's size be a multiple of the stride.
# - Without skips a network knows what, but not where. The skips of a U-Net bring back where.
# - Move image and mask together. To resize a mask take the nearest pixel, never a mean.
# - A frozen, trained backbone is a good way down when photos are few.
# - Weights make rare classes count, at the price of false alarms.
#
# ### Go further
#
# - Leave out only the finest skip, or only the coarsest. Which one does the border need?
# - Use `UpSampling2D` in the decoder block. Is anything lost?
# - Train on a quarter of the photos, with and without the backbone. Who loses more?
# - Weigh the classes of the animals with your `class_weights`. What happens to the border?
# - Take the square root of the weights for the rivers. Is it a better bargain?
#
# ### References
#
# - O. Ronneberger, P. Fischer and T. Brox (2015): *U-Net: convolutional networks for biomedical
#   image segmentation*. MICCAI.
# - O. Parkhi, A. Vedaldi, A. Zisserman and C. Jawahar (2012): *Cats and dogs*. CVPR.
# - A. Odena, V. Dumoulin and C. Olah (2016): *Deconvolution and checkerboard artifacts*. Distill.
# - L. Dice (1945): *Measures of the amount of ecologic association between species*. Ecology 26,
#   297-302.
# - Prabhat et al. (2021): *ClimateNet: an expert-labeled open dataset and deep learning
#   architecture for enabling high-precision analyses of extreme weather*. Geoscientific Model
#   Development 14, 107-124.
