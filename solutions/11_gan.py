# %% [markdown]
# # Autoencoders and GANs
#
# A classifier looks at an image and says what it is. This lab goes the other way: networks that
# **make** images. After it you will be able to
#
# - squeeze images through a few numbers with an autoencoder, and compare it with PCA,
# - read a latent plane, walk through it, and say where its holes are,
# - remove noise with a network, and say what such a network invents,
# - write both losses of a generative adversarial network (GAN) and one step of each player,
# - watch the game on data so simple that you see all of it,
# - provoke mode collapse, and say how it is seen,
# - make digits out of noise, on demand a 7 and not a 4,
# - judge made images by numbers: diversity, a distance between heaps, nearest neighbors.
#
# You need about five hours: two afternoons, the second one from "Digits out of noise" on. (To begin
# there, select its heading and choose *Run All Above Selected Cell* in the menu *Run*; that takes a
# minute or two.) The notebook computes for three to four minutes on two CPU cores and takes up to
# 1.5 GB of memory. The data are the digits of MNIST where the data folder holds them or downloads
# are allowed, otherwise digits that the course makes itself.

# %%
import matplotlib.pyplot as plt
import numpy as np

from helpers import data, gan, plots, training
from helpers.checks import gan as check

# %% [markdown]
# ## Two numbers for an image
#
# An image of a digit has 28 x 28 = 784 pixels, but nearly all patterns of 784 pixels are no digits
# at all: they look like the snow of an old television. Below are ten digits, and under each its own
# pixels in another order.

# %%
digits = data.mnist()
ten = digits.x_train[:10]
snow = np.random.default_rng(11).permuted(ten.reshape(10, -1), axis=1).reshape(ten.shape)
plots.show(
    plots.images([*ten, *snow]),
    alt="Ten handwritten digits. Below each a square of snow: its pixels, shuffled.",
)

# %% [markdown]
# So a digit needs far fewer numbers than 784, if one finds the right ones. These are its **code**.
#
# The classical way is **principal component analysis** (PCA; Pearson 1901). It looks for the
# *direction* along which the data vary most, and keeps only how far each point lies along it. By
# hand: the three points (1, 2), (2, 4) and (3, 6) lie on one line, so a single number for each, -1,
# 0 or 1 steps from the middle, is enough to rebuild both coordinates. Digits are points with 784
# coordinates. The singular value decomposition (SVD) of 5,000 of them finds the directions, the
# most important first. Below, `numbers` holds how far each image lies along each of the directions
# kept; `center + numbers @ directions` goes back to pixels.
#
# The score is the mean squared error (MSE) over the pixels of 2,000 test images, from 0 for black
# to 1 for white. What must it beat? Keeping *no* number at all: then the answer is the same for
# every image, the mean digit. The labels only help us to look at the results. No network that you
# train in this half learns from them.

# %%
x = digits.x_train[:20_000, ..., None].astype("float32") / 255
x_test = digits.x_test[:2_000, ..., None].astype("float32") / 255
labels = digits.y_test[:2_000]
flat, flat_test = x[:5_000].reshape(-1, 784), x_test.reshape(-1, 784)
center = flat.mean(axis=0)


def to_bytes(images):
    """Return images of 0 to 1 as bytes of 0 to 255, so that all are drawn on one scale."""
    return (255 * np.clip(images, 0, 1)).astype("uint8")


directions = np.linalg.svd(flat - center, full_matrices=False)[2]
pca = {}  # numbers kept: the rebuilt test images
for kept in (0, 2, 16, 64):
    numbers = (flat_test - center) @ directions[:kept].T
    pca[kept] = center + numbers @ directions[:kept]
    print(f"{kept:2} numbers: MSE {np.mean((pca[kept] - flat_test) ** 2):.4f}")

# %% [markdown]
# Each number more makes the error smaller. With two it has barely begun to fall. The reason: PCA
# can only *add* two fixed pictures to the mean, each multiplied by a number. All it can make lies
# on a flat plane in the space of images, and digits don't lie on a flat plane.

# %% [markdown]
# ## The autoencoder
#
# An **autoencoder** bends the plane. It consists of two networks:
#
# - the **encoder** takes an image and gives its code, here 2 numbers,
# - the **decoder** takes the code and gives an image.
#
# They are trained as one network whose target is its own input: `fit(x, x)`. It cannot simply copy,
# for all that passes between the two is the code: a **bottleneck**. (Hinton and Salakhutdinov 2006
# showed how much better than PCA a deep one can be.) With linear layers only it would find the
# plane of PCA again. What bends the plane is the activation function.

# %%
import keras
from keras import layers, ops

keras.utils.set_random_seed(11)

# %% [markdown]
# ### Exercise 1: an autoencoder
#
# Build two Keras models:
#
# - `encoder`: from images `(n, 28, 28, 1)` with values 0 to 1 to codes `(n, 2)`. At least one hidden
#   layer, with an activation. A code may be *any* number, also a negative one, so the last layer
#   has no activation.
# - `decoder`: from codes `(n, 2)` to images `(n, 28, 28, 1)`. Here, too, at least one hidden layer
#   with an activation. The values of the images must lie between 0 and 1.
#
# Dense layers are enough and fast: for example 784 → 256 → 64 → 2, and back again the same way.
#
# <details><summary>Hint 1</summary>
#
# `keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), ...])`. The decoder begins with
# `keras.Input((2,))`.
# </details>
# <details><summary>Hint 2</summary>
#
# The decoder ends with a dense layer of 784 units, then `layers.Reshape((28, 28, 1))`. Which
# activation gives values between 0 and 1?
# </details>

# %% tags=["exercise:autoencoder"]
encoder = decoder = None
### BEGIN SOLUTION
encoder = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(2),
    ]
)
decoder = keras.Sequential(
    [
        keras.Input((2,)),
        layers.Dense(64, activation="relu"),
        layers.Dense(256, activation="relu"),
        layers.Dense(784, activation="sigmoid"),
        layers.Reshape((28, 28, 1)),
    ]
)
### END SOLUTION

# %% tags=["check:autoencoder:2"]
check.autoencoder(encoder, decoder)

# %% [markdown]
# First a helper that this half needs often:


# %%
def run(model, x):
    """Return what a model makes of x, as an array."""
    return keras.ops.convert_to_numpy(model(x))


# %% [markdown]
# Now the training: encoder and decoder one behind the other, with the same images as input and as
# target. It takes ten to fifteen seconds. Is the error on test images below that of PCA with two
# numbers?

# %%
autoencoder = keras.Sequential([encoder, decoder])
autoencoder.compile(keras.optimizers.Adam(2e-3), "mse")
autoencoder.fit(x, x, batch_size=256, epochs=12, verbose=0, callbacks=training.progress())
rebuilt = run(autoencoder, x_test)
ratio = np.mean((rebuilt - x_test) ** 2) / np.mean((pca[2] - flat_test) ** 2)
print(f"MSE of the autoencoder {np.mean((rebuilt - x_test) ** 2):.4f}")
check.reached(
    "MSE divided by that of PCA with two numbers",
    ratio,
    at_most=0.97,
    hint="Give both networks of exercise 1 more hidden units and run its cells again, to this one.",
)

# %% [markdown]
# Two numbers in both cases, and the autoencoder's error is smaller. Compare the rows: test digits,
# PCA with 2 numbers, the autoencoder with 2 numbers, and PCA with 64. What kind of mistakes does
# each make?

# %%
chosen = np.array([np.flatnonzero(labels == k)[0] for k in range(10)])  # the first of each digit
rows = [image.reshape(-1, 28, 28)[chosen] for image in (x_test, pca[2], rebuilt, pca[64])]
names = ["test", "PCA, 2", "autoencoder, 2", "PCA, 64"]
plots.show(
    plots.images(to_bytes(np.concatenate(rows)), size=0.55, row_names=names),
    alt="Four rows of ten images: the digits 0 to 9; their reconstructions from two numbers by PCA, gray "
    "and blurred; those by the autoencoder, which look like digits, though not always the right ones; "
    "and those by PCA from 64 numbers, which can be read.",
)

# %% [markdown]
# PCA gives gray mixtures. The autoencoder gives something like digits, though often another digit
# than the one that came in: where two numbers don't tell a 4 from a 9, it takes what lies between.
# That is what a squared error asks for. Not sure which of two images it was? Then the *mean* of
# both is the safest answer, and a mean is blurred. With 64 numbers PCA keeps the shapes too, at
# the price of 32 times as many numbers.

# %% [markdown]
# ### The latent plane
#
# With two numbers as a code, each image is a point of a plane, the **latent plane** ("latent" means
# hidden). Where does the encoder put the test digits? Nobody told it the labels; we use them to
# draw each point as its digit, sixty of each. The large ones stand in the middle of their
# class; where a class has two clouds, that may be between them. Codes crowd in some places; to
# spread them out, we draw *ranks* instead of the numbers themselves: 0.3 stands where 30 % of all
# codes have a smaller number. Which digits have a region for themselves, and which are mixed?

# %%
codes = run(encoder, x_test)
ranks = codes.argsort(axis=0).argsort(axis=0) / len(codes)
colors = [*plt.rcParams["axes.prop_cycle"].by_key()["color"], "gray", "#7A4419"]
colors[6] = "#A09000"  # yellow is too pale for thin strokes
figure, axis = plt.subplots(figsize=(6, 4.7))
for k, color in enumerate(colors):
    mine = ranks[labels == k][:60]  # more can't be told apart
    axis.plot(*mine.T, marker=f"${k}$", linestyle="", color=color, markeredgewidth=0.1)
    where = np.median(mine, axis=0)
    box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": color, "linewidth": 2}
    axis.text(*where, k, fontsize=12, ha="center", va="center", bbox=box)
axis.set(xlabel="first number of the code (rank)", ylabel="second number of the code (rank)")
plots.show(
    figure,
    alt="The latent plane. Each test image is drawn as its digit at the place of its code. Each digit "
    "forms a cloud. Some clouds, as that of the ones, lie apart; others overlap; and there are empty "
    "places.",
)

# %% [markdown]
# Without a single label the plane has an order: images of one digit lie together, for they are
# alike. Digits that look alike are mixed. And there are places where nothing lies.
#
# Now **walk** through the plane: take codes on a grid of ranks, and decode them. Each small image
# below is drawn at the place of its code. Compare it with the figure above: what does the decoder
# draw on the border between two digits, and what in the empty places?

# %%
n = 7
across, up = np.meshgrid(*np.quantile(codes, (np.arange(n) + 0.5) / n, axis=0).T)
grid = np.stack([across.ravel(), up.ravel()], axis=1)
tiles = run(decoder, grid).reshape(n, n, 28, 28)[::-1]  # the highest row first
figure, axis = plt.subplots(figsize=(3.2, 3.2))
picture = tiles.swapaxes(1, 2).reshape(28 * n, 28 * n)
axis.imshow(picture, extent=[0, 1, 0, 1])
axis.set(xlabel="first number of the code (rank)", ylabel="second number of the code (rank)")
plots.show(
    figure,
    alt="Seven by seven decoded images that fill the latent plane. Regions of one digit pass over "
    "smoothly into the next, and on the borders the shapes are mixtures that are no digits.",
)

# %% [markdown]
# One digit flows into the next; within a region slant and width change smoothly. On the borders,
# and in some of the empty places, there are shapes that are no digit.
#
# Can we *make* new digits in this way: choose a code by chance, and decode it? For better images
# let's first have a wider bottleneck: 16 numbers. A function builds the two networks; it will build
# others further below.


# %%
def dense(shape, hidden, *last):
    """Return a model: inputs of this shape, dense layers with ReLU, then the layers `last`."""
    stack = [layers.Dense(units, activation="relu") for units in hidden]
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *stack, *last])


# %% [markdown]
# The training takes five to ten seconds. Compare the two errors: both methods keep 16 numbers.

# %%
wide_encoder = dense((28, 28, 1), (256, 64), layers.Dense(16))
to_image = [layers.Dense(784, activation="sigmoid"), layers.Reshape((28, 28, 1))]
wide_decoder = dense((16,), (64, 256), *to_image)
wide = keras.Sequential([wide_encoder, wide_decoder])
wide.compile(keras.optimizers.Adam(2e-3), "mse")
wide.fit(x, x, batch_size=256, epochs=6, verbose=0, callbacks=training.progress())
wide_mse = np.mean((run(wide, x_test) - x_test) ** 2)
print(f"16 numbers: MSE {wide_mse:.4f}, PCA {np.mean((pca[16] - flat_test) ** 2):.4f}")

# %% [markdown]
# Again better than PCA with as many numbers. And images of random codes: are they digits? Let
# somebody else decide. The course has a **judge**: a convolutional network like that of lab 03,
# trained beforehand on digits of the same kind. It takes images with values 0 to 255 and gives two
# arrays; the first, `[0]`, holds the probabilities of the ten digits. Its **confidence** is the
# largest of the ten.


# %%
def judged(images):
    """Return the digits that the judge reads in images of 0 ... 1, and its confidence in each."""
    probabilities = judge.predict(255 * images, batch_size=500, verbose=0)[0]
    return probabilities.argmax(axis=1), probabilities.max(axis=1)


# %% [markdown]
# Now random codes, from a normal distribution with the mean and the covariances of the codes of the
# test digits: the same center, and as much spread in each direction. How sure is the judge of test
# digits, of rebuilt ones, and of decoded random codes? Does it read the *right* digit in rebuilt
# ones? Under the numbers are images of random codes: a row with 2 numbers, and one with 16.

# %%
judge, rng, shown = gan.judge(digits.source), np.random.default_rng(11), []
print(f"     test digits        mean confidence {judged(x_test)[1].mean():.3f}")
for kept, encode, decode in [(2, encoder, decoder), (16, wide_encoder, wide_decoder)]:
    of_test = run(encode, x_test)
    drawn = rng.multivariate_normal(of_test.mean(axis=0), np.cov(of_test.T), len(of_test))
    told, sure = judged(run(decode, of_test))
    print(f"{kept:2} numbers, rebuilt mean confidence {sure.mean():.3f}", end=", ")
    print(f"the right digit: {np.mean(told == labels):.0%}")
    images = run(decode, drawn.astype("float32"))
    sure = judged(images)[1]
    print(f"{kept:2} numbers, random  mean confidence {sure.mean():.3f}", end=", ")
    print(f"below 0.8: {np.mean(sure < 0.8):.0%}")
    shown.append(images[:10, ..., 0])
plots.show(
    plots.images(to_bytes(np.concatenate(shown)), size=0.6, row_names=["2 numbers", "16 numbers"]),
    alt="Two rows of ten images from random codes. Those from 2 numbers are smooth shapes, mostly like "
    "digits; those from 16 numbers are often broken strokes that are no digits.",
)

# %% [markdown]
# With 16 numbers the right digit comes back far more often than with two. But compare each line of
# random codes with that of rebuilt digits above it: with two numbers the confidence falls little,
# with 16 it falls much more, and many random codes give scribble. In the plane a random code is
# mostly near the code of some digit. In 16 dimensions there is so much room that the codes of
# digits fill only a tiny part of it. All the rest are **holes**: nobody ever asked the decoder what
# to draw there, and the autoencoder doesn't tell us where they are. It compresses well; as a maker
# of new images it's poor. One remedy is the *variational* autoencoder (Kingma and Welling 2014):
# its codes are drawn towards one normal distribution, so that a code drawn from it seldom hits a
# hole. The GANs further below take quite another way.

# %% [markdown]
# ## Removing noise
#
# An autoencoder may also have a *different* input than its target: a damaged image in, the clean
# one out (Vincent et al. 2008, who were after better features). It has to learn what belongs to a
# digit and what doesn't.
#
# ### Exercise 2: noise
#
# Write `noisy(images, amount, rng)`. To each pixel of the array `images`, values 0 to 1, add a
# number of its own: `amount` times a number from the *standard normal* distribution, drawn from the
# generator `rng`. What falls below 0 becomes 0, what rises above 1 becomes 1. Return a new array of
# the same shape; leave `images` as it is.
#
# For example, if the pixel is 0.4, `amount` is 0.5 and the number drawn is -1.2, the result would
# be 0.4 - 0.6 = -0.2, so it is 0.
#
# <details><summary>Hint</summary>
#
# `rng.standard_normal(shape)` draws an array of them, and `np.clip` cuts off at both ends.
# </details>


# %% tags=["exercise:noisy"]
def noisy(images, amount, rng):
    """Return images (any shape) with normal noise of this standard deviation, cut to 0..1."""
    ### BEGIN SOLUTION
    return np.clip(images + amount * rng.standard_normal(images.shape), 0, 1)
    ### END SOLUTION


# %% tags=["check:noisy", "nbval-check-output"]
check.noisy(noisy)

# %% [markdown]
# The network: two convolutions with a stride of 2 take the image down to 7 x 7 pixels, two
# *transposed* convolutions (lab 06) bring it back to 28 x 28. There is no narrow bottleneck: here
# the noise prevents a mere copy. Its loss is the cross-entropy of each pixel, which also works for
# targets between 0 and 1. Training takes about ten seconds.

# %%
from scipy.ndimage import median_filter

denoiser = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
    ]
)
half = x[:10_000]
damaged_half = noisy(half, 0.5, rng)
if damaged_half is None:
    raise ValueError("The network learns from noisy images: solve exercise 2 first.")
damaged_half = damaged_half.astype("float32")
denoiser.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy")
denoiser.fit(damaged_half, half, batch_size=128, epochs=6, verbose=0, callbacks=training.progress())
del damaged_half, half, x, flat  # 94 MB; to train again, run the cell that makes x first

# %% [markdown]
# The test digits get new noise of the same amount, and the score is the MSE again. The baseline is
# a classical tool, the **median filter**: it replaces each pixel by the median of its neighborhood,
# here of 3 x 3 or of 5 x 5 pixels. It needs no training at all.

# %%
damaged = noisy(x_test, 0.5, rng).astype("float32")
cleaned = {f"median {s} x {s}": median_filter(damaged, size=(1, s, s, 1)) for s in (3, 5)}
cleaned["network"] = run(denoiser, damaged)
print(f"noisy         MSE {np.mean((damaged - x_test) ** 2):.4f}")
for name, images in cleaned.items():
    print(f"{name:13} MSE {np.mean((images - x_test) ** 2):.4f}")
better = np.mean((cleaned["median 3 x 3"] - x_test) ** 2)
ratio = np.mean((cleaned["network"] - x_test) ** 2) / better
check.reached("MSE of the network / MSE of the median 3 x 3", ratio, at_most=0.6)

# %% [markdown]
# Look at the strokes in the four rows: noisy, median 3 x 3, network, and the original.

# %%
rows = {
    "noisy": damaged,
    "median 3 x 3": cleaned["median 3 x 3"],
    "network": cleaned["network"],
    "original": x_test,
}
five = chosen[::2]
pictures = np.concatenate([images[five, ..., 0] for images in rows.values()])
plots.show(
    plots.images(to_bytes(pictures), columns=5, size=0.6, row_names=list(rows)),
    alt="Four rows of five digits: covered with noise; after a median filter, spotted and with broken "
    "strokes; after the network, clean and nearly like the originals, which are the last row.",
)

# %% [markdown]
# The median knows only that neighbors are alike. It leaves spots, and a thin stroke goes with the
# noise. The network has learned what a stroke is. But that has a price. What does it do with more
# noise than it was trained for, or where there is **no digit** at all? Above what goes in, below
# what comes out: a 3, and then a black image, each with the amount of noise in its title. The
# numbers that are printed are for all test digits: how often does the judge read another digit than
# the one that was there, and how often with a confidence above 0.9? (It errs even in clean digits:
# that share comes first.)

# %%
amounts, shown = [0.5, 0.75, 1.0, 1.5], []
print(f"no noise:   another digit {np.mean(judged(x_test)[0] != labels):6.1%}")
for amount in amounts:
    given = noisy(x_test, amount, rng).astype("float32")
    answer = run(denoiser, given)
    told, sure = judged(answer)
    wrong = told != labels
    print(f"noise {amount:4}: another digit {wrong.mean():6.1%}", end=", ")
    print(f"with confidence {np.mean(wrong & (sure > 0.9)):6.1%}")
    nothing = noisy(np.zeros((1, 28, 28, 1)), amount, rng).astype("float32")
    pairs = [
        (given[chosen[3]], answer[chosen[3]]),
        (nothing[0], run(denoiser, nothing)[0]),
    ]
    shown.append(pairs)
order = [shown[column][what][row] for row in (0, 1) for what in (0, 1) for column in range(4)]
titles = [f"{what}, {amount}" for what in ("a 3", "black") for amount in amounts]
titles += ["cleaned"] * 8
plots.show(
    plots.images(to_bytes(np.array(order)[..., 0]), titles, columns=8, size=0.9),
    alt="Above eight noisy images, a 3 under four growing amounts of noise and then a black image "
    "under the same amounts. Below what the network makes of them: the 3 loses its form, and in strong noise alone the "
    "network finds bright strokes and spots.",
)

# %% [markdown]
# With more noise the network still gives something like strokes on black, for it has learned that the
# answer looks like that. It *invents* them. And the more noise, the more often the judge reads another
# digit than the one that was there, sometimes with great confidence. Nothing in such an image warns
# you. In a medical image or a radar map this can be dangerous: a network that "improves" images
# adds what it knows from its training, not what was there.

# %% [markdown]
# ## The game of forger and critic
#
# All networks so far were measured against a *given* right answer. For "make a new image of a
# digit" there is none: a new image equals none of the given ones. Goodfellow et al. (2014) let a
# second network be the measure. A **generative adversarial network** (GAN) is a game of two:
#
# - The **generator** G gets random numbers, the **noise** z, and makes data of them: a forger.
# - The **discriminator** D gets data, real or made, and gives the probability that they are real: a
#   critic.
#
# They take turns. D learns to tell real from made; then G learns to make what D takes for real. The
# forger never sees a real image! All it learns comes through the critic: in which direction must
# each pixel change for D to be taken in? Backpropagation answers that, through D and into G. If
# both play well, the made data become more and more like the real ones, until D can only guess.
#
# ### The losses by hand
#
# D is a classifier with two classes, so its loss is the cross-entropy (lab 01) with the targets 1
# for real and 0 for made. Its last layer has no activation. It gives a **logit** l, any number; the
# probability "real" is sigmoid(l) = 1 / (1 + exp(-l)). We call this number D, too. With the target
# 1 an example costs -log D, with the target 0 it costs -log(1 - D). (In this lab log is the natural
# logarithm, as `np.log`.) Take two real examples and two made ones, with small numbers for the
# logits:

# %%
real, made = np.array([2.0, 0.0]), np.array([-2.0, 1.0])
p_real, p_made = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-made))
print("D of the real: ", p_real.round(3), "  -log D:    ", -np.log(p_real).round(3))
print("D of the made: ", p_made.round(3), "  -log(1 - D):", -np.log(1 - p_made).round(3))
print("G wants the made ones to be taken for real, -log D:", -np.log(p_made).round(3))
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)  # of targets and logits
by_hand = np.mean(-np.log(p_real)) + np.mean(-np.log(1 - p_made))
by_keras = float(cross_entropy(np.ones(2), real) + cross_entropy(np.zeros(2), made))
print(f"loss of D: by hand {by_hand:.3f}, by Keras {by_keras:.3f}")
print(
    f"loss of G: {np.mean(-np.log(p_made)):.3f}, by Keras {float(cross_entropy(np.ones(2), made)):.3f}"
)

# %% [markdown]
# The made one with the logit 1 has taken D in (0.73): it costs D most, and G least. With the logits
# there is a shorter and safer way to write it. The function softplus(l) = log(1 + exp(l)) gives
#
# - -log D = softplus(-l),
# - -log(1 - D) = softplus(l).
#
# Safer, because for l = -800 the sigmoid is 0 in the computer, and log 0 is minus infinity. With
# Keras, `keras.ops.softplus(800.0)` is simply 800.

# %% [markdown]
# ### Exercise 3: the loss of the discriminator
#
# Write `discriminator_loss(real, made, smooth=0.0)`. `real` and `made` are tensors of logits, `(n,
# 1)` each. Return one number (a tensor without axes): the mean cross-entropy of the real ones, with
# the target 1, **plus** the mean cross-entropy of the made ones, with the target 0. Use
# `keras.ops`, so that the backend can differentiate it.
#
# `smooth` is for **one-sided label smoothing** (Salimans et al. 2016): the target of the *real*
# ones is 1 - smooth in place of 1, say 0.9. So D loses if it becomes too sure of itself. The
# cross-entropy of a logit l and the target 1 - smooth is softplus(-l) + smooth · l. The target of
# the made ones remains 0.
#
# For the logits above the loss is 1.130, with `smooth=0.1` it is 1.230: it grows by 0.1 times the
# mean of the real logits, which is 1.
#
# <details><summary>Hint</summary>
#
# `ops.mean(...)` of each part, with `ops.softplus`; the sum of two means. There's no sigmoid in it.
# </details>


# %% tags=["exercise:discriminator_loss"]
def discriminator_loss(real, made, smooth=0.0):
    """Return the cross-entropy of logits (n, 1): real ones are to be 1 - smooth, made ones 0."""
    ### BEGIN SOLUTION
    return ops.mean(ops.softplus(-real) + smooth * real) + ops.mean(ops.softplus(made))
    ### END SOLUTION


# %% tags=["check:discriminator_loss:2", "nbval-check-output"]
check.discriminator_loss(discriminator_loss)

# %% [markdown]
# ### Exercise 4: the loss of the generator
#
# Write `generator_loss(made)` for the logits `(n, 1)` that D gives to what G made: the mean
# cross-entropy with the target 1, for G wants them taken for real. For the logits -2 and 1 it is
# 1.220.
#
# <details><summary>Hint</summary>
#
# It is the first half of the other loss, for other logits and without smoothing.
# </details>


# %% tags=["exercise:generator_loss"]
def generator_loss(made):
    """Return the cross-entropy of the logits (n, 1) of made data to the target 1."""
    ### BEGIN SOLUTION
    return ops.mean(ops.softplus(-made))
    ### END SOLUTION


# %% tags=["check:generator_loss", "nbval-check-output"]
check.generator_loss(generator_loss)

# %% [markdown]
# ### Why not simply the opposite?
#
# What D gains G loses, so G could just *minimize log(1 - D)*, the exact opposite of D's second
# part. The goal is the same. But look at the **gradient** with respect to the logit, for G learns
# from nothing else. At the beginning G is bad, and D is sure: the logits of the made data are far
# below 0. Which of the two curves gives G something to learn there, at the left?

# %%
logit = np.linspace(-6, 6, 121)
p = 1 / (1 + np.exp(-logit))
figure, axis = plt.subplots(figsize=(7, 3))
axis.plot(logit, p, color=plots.VERMILION, linestyle="--")
axis.plot(logit, 1 - p, color=plots.BLUE)
axis.annotate("log(1 - D)", (3.2, 0.88), color=plots.VERMILION)
axis.annotate("-log D", (-4.6, 0.88), color=plots.BLUE)
axis.set(xlabel="logit that D gives to a made image", ylabel="size of the gradient")
plots.show(
    figure,
    alt="Size of the gradient of two losses of the generator against the logit. That of minus log D is "
    "near one for very negative logits and falls to zero; that of log of one minus D is near zero there "
    "and rises to one.",
)
for at in (-6, -2, 0, 2):
    p = 1 / (1 + np.exp(-at))
    print(f"logit {at:2}: gradient of log(1 - D) {-p:.4f}, of -log D {-(1 - p):.4f}")

# %% [markdown]
# With log(1 - D) the gradient vanishes just where G is worst: it *saturates*. With -log D it is
# largest there. Both are negative everywhere, so both push the logit up. So Goodfellow et al.
# proposed -log D. It is called the **non-saturating** loss, the one you have written; StyleGAN still
# uses it, others chose other losses.

# %% [markdown]
# ## A game that one can see
#
# Images have 784 numbers, and nobody can draw a distribution in 784 dimensions. So let the "images"
# be single numbers. The real ones come from two heaps, around -2 and +2, each with a standard
# deviation of 0.4. Can a generator that never sees them learn to make such numbers?

# %%
NOISE, BATCH = 8, 256
edges = np.linspace(-4, 4, 41)
middles = (edges[:-1] + edges[1:]) / 2


def real_numbers(n, rng):
    """Return n real data (n, 1): half around -2, half around 2, with deviation 0.4."""
    return (rng.choice([-2, 2], size=(n, 1)) + rng.normal(0, 0.4, size=(n, 1))).astype("float32")


def draw_noise(n, rng):
    """Return noise for n made data: (n, NOISE) standard normal numbers."""
    return rng.standard_normal((n, NOISE)).astype("float32")


def density(at):
    """Return the true density of the real data at these numbers."""
    heaps = [np.exp(-0.5 * ((at - c) / 0.4) ** 2) for c in (-2, 2)]
    return sum(heaps) / (2 * 0.4 * np.sqrt(2 * np.pi))


# %% [markdown]
# Both players are small multilayer perceptrons. G takes eight random numbers and gives one; D takes
# one number and gives a logit. `gan.Game` puts them together. It makes two models out of the two
# networks, with your losses and an Adam for each:
#
# - `game.critic` takes `[real, made]`, gives both to D, and has your `discriminator_loss`;
# - `game.forger` takes noise, gives it to G and the result to D, and has your `generator_loss`.
#
# `train_on_batch(inputs)` makes one step of such a model and returns its loss. The networks are
# *the same objects* in both, so a step of the critic changes the D that the forger has to face
# next. (If a loss of yours isn't ready yet, leave both out, `gan.Game(generator, discriminator)`:
# then the game uses its own.)

# %%
keras.utils.set_random_seed(11)
number_generator = dense((NOISE,), (32, 32), layers.Dense(1))
number_discriminator = dense((1,), (64, 64), layers.Dense(1))
game = gan.Game(
    number_generator, number_discriminator, discriminator_loss, generator_loss, rate=1e-3
)
for name in ("generator", "discriminator", "critic", "forger"):
    print(f"{name:14}{getattr(game, name).count_params():6} weights")

# %% [markdown]
# The critic has the weights of D alone; the forger has those of both. But when the *forger* learns,
# D must hold still. Otherwise D would learn to be taken in! So before each step we say whether D's
# weights may move: `game.discriminator.trainable = True` or `False`.

# %% [markdown]
# ### Exercise 5: a step of the discriminator
#
# Write `discriminator_step(game, real, noise)`. `real` is a batch of real data, `noise` one of
# noise.
#
# 1. Let D's weights move.
# 2. Let G make data from the noise, as an array: `game.generator.predict_on_batch(noise)`.
# 3. Make one step of the critic with both, and return its loss.
#
# G doesn't learn in this step: it gets the critic's inputs ready, but isn't part of it.
#
# <details><summary>Hint</summary>
#
# `game.critic.train_on_batch([real, made])` returns the loss. Mind the order of the two.
# </details>


# %% tags=["exercise:discriminator_step"]
def discriminator_step(game, real, noise):
    """Train the discriminator on a batch of real data and one of made data; return its loss."""
    ### BEGIN SOLUTION
    game.discriminator.trainable = True
    made = game.generator.predict_on_batch(noise)
    return game.critic.train_on_batch([real, made])
    ### END SOLUTION


# %% tags=["check:discriminator_step:2", "nbval-check-output"]
check.discriminator_step(discriminator_step)

# %% [markdown]
# ### Exercise 6: a step of the generator
#
# Write `generator_step(game, noise)`: hold D's weights still, make one step of the forger with the
# noise, and return its loss.
#
# <details><summary>Hint</summary>
#
# Two lines. The forger makes its data itself.
# </details>


# %% tags=["exercise:generator_step"]
def generator_step(game, noise):
    """Train the generator, with the discriminator held still; return its loss."""
    ### BEGIN SOLUTION
    game.discriminator.trainable = False
    return game.forger.train_on_batch(noise)
    ### END SOLUTION


# %% tags=["check:generator_step", "nbval-check-output"]
check.generator_step(generator_step)

# %% [markdown]
# First, two functions to look at the game and to draw it. The density of the made numbers is
# counted in bins, that of the real ones is known.


# %%
def look(game, rng):
    """Return the density of made numbers and D's probability at the middles of the bins."""
    made = game.generator.predict_on_batch(draw_noise(8000, rng)).ravel()
    logits = game.discriminator.predict_on_batch(middles[:, None]).ravel()
    width = edges[1] - edges[0]
    return np.histogram(made, edges)[0] / (len(made) * width), 1 / (1 + np.exp(-logits))


def draw(axis, step, made, probability):
    """Draw the densities of real and made numbers, and D's probability."""
    axis.fill_between(middles, density(middles), color=plots.SKY, alpha=0.5, label="real")
    axis.step(middles, made, where="mid", color=plots.VERMILION, label="made")
    axis.plot(middles, probability, color="black", linestyle="--", linewidth=1.5, label="D")
    axis.set(title=f"step {step}", ylim=(0, 1.3), xlim=(-4, 4))


# %% [markdown]
# Now the game: a step of D, a step of G, 1,500 times. It takes about ten seconds, and every 50
# steps the picture is drawn anew. Filled: the density of the real numbers. Solid line: that of the
# made ones. Dashed: the probability "real" that D gives to a number there. Watch how the made
# numbers move to where the dashed line is *higher*.

# %%
rng = np.random.default_rng(11)
screen = plots.Screen()
seen, losses = {0: look(game, rng)}, []
for step in training.track(range(1, 1501)):
    d = discriminator_step(game, real_numbers(BATCH, rng), draw_noise(BATCH, rng))
    g = generator_step(game, draw_noise(BATCH, rng))
    if d is None or g is None:
        raise ValueError("The game needs both steps: solve exercises 5 and 6 first.")
    losses.append((d, g))
    if step % 50 == 0:
        seen[step] = look(game, rng)
        figure, axis = plt.subplots(figsize=(6, 2.5))
        draw(axis, step, *seen[step])
        screen.show(figure)

# %% [markdown]
# Six moments of the game, side by side. In each, which way does the dashed line rise where the made
# numbers are? And where are they in the next one?

# %%
figure, axes = plt.subplots(2, 3, figsize=(7, 3.5), sharex=True, sharey=True)
for axis, step in zip(axes.flat, (0, 50, 300, 900, 1200, 1500), strict=True):
    draw(axis, step, *seen[step])
axes[0, 2].legend(loc="upper center", ncols=3, fontsize=8, handlelength=1, columnspacing=0.8)
figure.supxlabel("number")
figure.supylabel("density; probability of D")
plots.show(
    figure,
    alt="Six panels from step 0 to step 1,500. The real numbers form two heaps. The made ones begin as "
    "one narrow heap in the middle and move to where D's probability is higher; in the end they lie in "
    "both heaps. There D's probability is near one half, and low in between.",
)

# %% [markdown]
# At first G makes one narrow heap. D's line begins to rise towards where the real data are and the
# made ones aren't. That slope is all that G gets, and it is enough: the made numbers climb it. They
# may all run to one side and stay there for long, or spread too far; in time D learns where there
# are too many and where some are missing, and the slope turns. At the end the solid line lies about
# where the real data are, though a made heap may still stand somewhat aside. There D can only
# guess: its line is near one half. Between the heaps, where only a few made numbers are left, it
# is low.

# %% [markdown]
# At the end we can count. Does G serve both heaps, or has it dropped one? Are they as broad as the
# real ones? And how good is D? Suppose that at some number the real density is $p_r$ and the made
# one $p_g$. Real and made data come in equal parts, so of those at this number the share $p_r /
# (p_r + p_g)$ is real, and no D can say more than that. We know $p_r$ here, and have counted $p_g$.
# So compare: the best possible D, and the one that has learned.

# %%
made, learned = seen[1500]
best = density(middles) / (density(middles) + made + 1e-9)
known = density(middles) + made > 0.05  # elsewhere there are too few numbers to count
figure, axis = plt.subplots(figsize=(7, 3))
axis.fill_between(middles, density(middles), color=plots.SKY, alpha=0.5, label="real")
axis.plot(middles[known], best[known], "o", color=plots.GREEN, label="best possible D")
axis.plot(middles, learned, color="black", linestyle="--", label="learned D")
axis.axhline(0.5, color="gray", linewidth=0.8)
axis.set(xlabel="number", ylabel="probability “real”; density", ylim=(0, 1.05))
axis.legend(ncols=3, loc="upper center")
plots.show(
    figure,
    alt="The probability that D gives along the line at the end: a dashed line, near one half in the "
    "two heaps and low between them. The points for the best possible D lie around it, farther from "
    "one half.",
)
made = game.generator.predict_on_batch(draw_noise(8000, rng)).ravel()
for name, numbers in [("real", real_numbers(8000, rng).ravel()), ("made", made)]:
    left, right = numbers[numbers < 0], numbers[numbers >= 0]
    print(f"{name}: {len(left) / len(numbers):.0%} in the left heap, deviations", end=" ")
    print(
        f"{left.std():.2f} and {right.std():.2f}; between -1 and 1 {np.mean(abs(numbers) < 1):.1%}"
    )
check.reached("share of the smaller heap", min(np.mean(made < 0), np.mean(made > 0)), at_least=0.25)
d, g = np.mean(losses[-300:], axis=0)
print(f"losses: D {d:.3f} (2 log 2 = {2 * np.log(2):.3f}), G {g:.3f} (log 2 = {np.log(2):.3f})")

# %% [markdown]
# If G were perfect, both densities would be equal, and the best D would say 1/2 everywhere. Its
# loss would be 2 log 2, and G's would be log 2. The losses are close to that, and yet the made
# heaps aren't quite the real ones: the best possible D, the green points, would still find
# differences. Ours is a small, smooth network and doesn't see them; it has only learned that
# numbers between the heaps are made ones. What D doesn't see, G can't learn. Note what this means:
# in a GAN **the losses need not fall** as you are used to. Each player's loss depends on how good
# the *other* is. A loss that stands still can mean that both get better together. So one must look
# at what is made.

# %% [markdown]
# ### Mode collapse
#
# One step of D, one of G: that is fair play. Now let G be *hasty*: ten steps for each one of D. The two
# networks start anew.
#
# ### Exercise 7: predict
#
# What will become of the two heaps? Write `"stays"` (both heaps, about half and half) or `"piles up"`
# (one heap at a time).
#
# <details><summary>Hint</summary>
#
# G's loss asks of each number alone whether D takes it for real. Is there anything in it that asks for
# *all* kinds?
# </details>

# %% tags=["exercise:hasty"]
hasty = None
### BEGIN SOLUTION
hasty = "piles up"
### END SOLUTION

# %% [markdown]
# How will we know? By the share of the made numbers that lies in the left heap, and by the
# **evenness** of the two shares: 1 for half and half, 0 where one heap has all.


# %%
def left_share(game):
    """Return the share of made numbers in the left heap."""
    return np.mean(game.generator.predict_on_batch(draw_noise(2000, rng)) < 0)


def evenness_of(share):
    """Return the entropy of two shares, 1 for half and half, 0 where one has all."""
    return entropy([share, 1 - share], base=2)


# %% [markdown]
# The hasty game, 150 rounds. It takes up to ten seconds.

# %%
from scipy.stats import entropy

hasty_game = gan.Game(
    dense((NOISE,), (32, 32), layers.Dense(1)), dense((1,), (64, 64), layers.Dense(1)), rate=1e-3
)
shares = []
for _ in training.track(range(150)):
    real, noise = real_numbers(BATCH, rng), draw_noise(BATCH, rng)
    hasty_game.discriminator.trainable = True
    hasty_game.critic.train_on_batch([real, hasty_game.generator.predict_on_batch(noise)])
    hasty_game.discriminator.trainable = False
    for _ in range(10):
        hasty_game.forger.train_on_batch(draw_noise(BATCH, rng))
    shares.append(left_share(hasty_game))

# %% [markdown]
# The figure shows the share in the left heap after each round. Where would the line run if both
# heaps were served equally in every round?

# %%
before = evenness_of(left_share(game))
after = np.mean([evenness_of(share) for share in shares[75:]])
print(f"evenness of the two heaps: in fair play {before:.2f}, hasty {after:.2f} (second half)")
figure, axis = plt.subplots(figsize=(7, 2.5))
axis.plot(range(1, 151), shares, color=plots.VERMILION, marker=".", linewidth=1)
axis.axhline(0.5, color="gray", linestyle=":")
axis.set(xlabel="round (one step of D, ten of G)", ylabel="share in the left heap")
plots.show(
    figure,
    alt="The share of made numbers in the left heap by round. It jumps between nearly 0 and nearly 1 "
    "and is seldom near one half, a dotted line.",
)

# %% [markdown]
# It would run along the dotted line. And your prediction?

# %% tags=["check:hasty"]
check.hasty(hasty, before, after)

# %% [markdown]
# This is **mode collapse** (a mode is a heap of the data). G puts nearly all of its numbers where D
# says "real" most; after some ten rounds, sometimes many more, D has learned that there are too
# many, and G moves all to the other heap. Nothing in G's loss speaks against making one kind only.
# What speaks against it is an opponent who answers in time. (In fair play, too, one heap may be
# left out for a while, until D has learned to answer: look at the six moments again.) In images it
# looks like this: each one may be fine, but all are alike, so only numbers for *many* images show
# it.

# %% [markdown]
# ## Digits out of noise
#
# Now the game is played for images. Radford et al. (2016) found what makes it work with convolutions,
# and called it **DCGAN**; many of its rules are used to this day:
#
# - no pooling: the discriminator halves its maps by strides, the generator doubles them by
#   **transposed convolutions** (lab 06),
# - ReLU in the generator, **leaky ReLU** in the discriminator: it lets a little through below zero,
#   so that the generator gets a gradient from every unit,
# - the last layer of the generator is tanh, so images are scaled to $-1 \dots 1$,
# - Adam with $\beta_1 = 0.5$; with 0.9 they saw the players oscillate,
# - batch normalization (lab 03) in both; here only in the generator. (While it learns it takes the
#   statistics of the batch, but the images for the discriminator are made with the moving averages:
#   a small difference that does no harm here.)
#
# The layers of the generator come first. They are in a function, as a second generator will have
# them.

# %%
LATENT = 32  # numbers of noise for an image


def up(x, filters):
    """Double the map: transposed convolution, batch normalization, ReLU."""
    x = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def paint(x):
    """Return the layers from a vector to an image: 7 x 7, then 14 x 14, then 28 x 28."""
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, use_bias=False)(x))
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = up(x, 32)
    return layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)


# %% [markdown]
# The discriminator goes the other way, from 28 x 28 over 14 x 14 to 7 x 7, and flattens these maps
# to a vector of features. Two dense layers make the logit of it.


# %%
def features(image):
    """Return the layers of the discriminator up to its vector of features."""
    x = image
    for filters in [16, 32]:
        x = layers.Conv2D(filters, 4, strides=2, padding="same")(x)
        x = layers.LeakyReLU(0.2)(x)
    return layers.Flatten()(x)


noise, image = keras.Input((LATENT,)), keras.Input((28, 28, 1))
generator = keras.Model(noise, paint(noise))
hidden = layers.LeakyReLU(0.2)(layers.Dense(64)(features(image)))
discriminator = keras.Model(image, layers.Dense(1)(hidden))
print(f"{generator.count_params():,} weights make images,", end=" ")
print(f"{discriminator.count_params():,} tell them from real ones")

# %% [markdown]
# The loop below plays the game for any pair of players. Real images are drawn anew for each step,
# noise too. The two steps are those that you have written, with the *labels* added that we need
# further below: `real` and `noise` are lists, of one array or of two, and `*` hands on what else is
# in a list.

# %%
rng = np.random.default_rng(11)


def batches(n, labels=False):
    """Return n real images, scaled to -1 ... 1, and noise; each with labels on demand."""
    rows = rng.integers(len(digits.x_train), size=n)
    real = [digits.x_train[rows, :, :, None].astype("float32") / 127.5 - 1]
    noise = [rng.standard_normal((n, LATENT)).astype("float32")]
    if labels:
        real.append(digits.y_train[rows].astype("int32"))
        noise.append(rng.integers(10, size=n).astype("int32"))
    return real, noise


def play(game, steps, watch, labels=False, n=32):
    """Play `steps` rounds; return the losses (steps, 2) and what was made on the way."""
    screen, losses, made = plots.Screen(), [], {0: game.generator.predict_on_batch(watch)}
    for step in training.track(range(1, steps + 1)):
        game.discriminator.trainable = True
        real, noise = batches(n, labels)
        fake = game.generator.predict_on_batch(noise if labels else noise[0])
        first = game.critic.train_on_batch([*real, fake, *noise[1:]])
        game.discriminator.trainable = False
        _, noise = batches(n, labels)
        losses.append((first, game.forger.train_on_batch(noise if labels else noise[0])))
        if step % (steps // 8) == 0:
            made[step] = game.generator.predict_on_batch(watch)
            screen.show(plots.images(to_bytes((made[step][..., 0] + 1) / 2)))
    return np.array(losses), made


# %% [markdown]
# The learning rate falls to zero along a line, so that the players come to rest at the end. The
# game takes a good minute; the ten images are always made of the same noise. Run the cell twice, and
# the same two networks play on; to begin anew, first run the cell that makes them.


# %%
def falling(steps, rate=2e-3):
    """Return a rate that falls to zero along a line."""
    return keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0)


STEPS = 1600
digit_game = gan.Game(generator, discriminator, rate=falling(STEPS))
watch = np.random.default_rng(0).standard_normal((10, LATENT)).astype("float32")
play_losses, stages = play(digit_game, STEPS, watch)

# %% [markdown]
# Each row shows the same ten draws of noise, later and later. What is there after a quarter of the
# game, and what comes after that?

# %%
steps = list(stages)[:: len(stages) // 4]
rows = to_bytes((np.concatenate([stages[step] for step in steps])[..., 0] + 1) / 2)
plots.show(
    plots.images(rows, size=0.6, row_names=[f"step {step}" for step in steps]),
    alt="Rows of ten made images: plain gray, then bright strokes, then shapes closer to digits.",
)

# %% [markdown]
# Untrained, the generator paints gray. After a quarter of the game there are bright strokes on
# black, and from then on they come closer to digits, some much closer than others.
#
# What do the losses say? Two numbers help to read them: a discriminator that can't tell gives the
# logit 0 to every image. Its loss is then 2 log 2, about 1.39, and the generator's is log 2, about
# 0.69.

# %%
figure, axis = plt.subplots(figsize=(7, 3))
smooth = np.ones(50) / 50
for column, (name, color) in enumerate(
    [("discriminator", plots.BLUE), ("generator", plots.ORANGE)]
):
    mean = np.convolve(play_losses[:, column], smooth, "valid")
    axis.plot(np.arange(25, 25 + len(mean)), mean, color=color, label=name)
    level = (2 - column) * np.log(2)
    axis.axhline(level, color=color, linestyle=":", linewidth=1)
    axis.text(len(play_losses), level, f" {name}\n if D guesses", va="center", fontsize=8)
axis.set_xlabel("step (mean over 50)")
axis.set_ylabel("loss")
axis.legend()
plots.show(
    figure,
    alt="Both losses by step. The generator's falls steeply at first and then hardly changes or rises; "
    "the discriminator's stays below its dotted line, where it would guess.",
)

# %% [markdown]
# At first the generator's loss falls steeply. But compare a quarter of the way with the end: the
# images are better, and the generator's loss is hardly lower or even higher. **A GAN's loss doesn't
# tell how good its images are**; it says who is ahead. A discriminator below its dotted line does
# better than guessing, and a generator above its own is often seen through. Should the
# discriminator's loss fall to nearly 0, then it wins every time: all that the generator tries looks
# equally bad to it, and it hardly tells what would be better. The numbers:

# %%
for name, part in [
    ("steps 400 to 600", play_losses[400:600]),
    ("the last 200", play_losses[-200:]),
]:
    print(f"{name:17} discriminator {part[:, 0].mean():.2f}, generator {part[:, 1].mean():.2f}")

# %% [markdown]
# ## Judged by numbers
#
# How good, then? Looking at samples is not enough: one sees the good ones, and never the digits that
# are missing. Three questions have numbers for an answer:
#
# 1. Are all digits there? (diversity)
# 2. Are the images as a whole like real ones? (a distance between two heaps)
# 3. Were they copied? (nearest neighbors)
#
# You will write a function for each. In the cells that judge, libraries do the same, so that you can go
# on where an answer is still open.
#
# The first two need somebody who can read: the judge from above. It has never seen a made image. It
# gives the ten probabilities and, besides, the 64 numbers of its last hidden layer: its **features**,
# what it has found in the image before it decides.


# %%
def read(images):
    """Return the digits that the judge reads in images of 0 ... 255, and its features."""
    probabilities, features = judge.predict(images, batch_size=500, verbose=0)
    return probabilities.argmax(axis=1), features


some = rng.permutation(len(digits.x_test))[:2000]
test = digits.x_test[some, :, :, None]
told, features_test = read(test)
print(f"the judge is right on {np.mean(told == digits.y_test[some]):.1%} of 2000 test digits")

# %% [markdown]
# Keep that share in mind: what the judge says of made images is no surer than that. Now the images
# to be judged, 2,000 of them from new noise. The generator's pixels go from -1 to 1, those of the
# judge from 0 to 255. How sure is it of them, and how sure of test digits? (That alone is no proof of
# quality: a generator that always made the same clear 1 would score high.)

# %%
COUNT = 2000


def to_pixels(made):
    """Return images of -1 ... 1 as 0 ... 255."""
    return (made + 1) * 127.5


z = rng.standard_normal((COUNT, LATENT)).astype("float32")
fakes = to_pixels(generator.predict(z, batch_size=500, verbose=0))
read_fakes, features_fakes = read(fakes)
for name, images in [("made", fakes), ("test", test)]:
    print(f"{name} digits: mean confidence {judged(images / 255)[1].mean():.3f}")

# %% [markdown]
# ### Exercise 8: are all digits there?
#
# Write `diversity(digits)`: from the digits 0 to 9 that the judge read, `(n,)`, return
#
# - `shares`, `(10,)`: the share of each digit, an absent one included, as 0,
# - `evenness`, a number: the **entropy** $-\sum_k p_k \log p_k$ of the shares $p_k$ divided by its
#   greatest value, $\log 10$. Where $p_k = 0$ the term is 0.
#
# All digits equally often give 1, a single digit 0, and two digits, half and half,
# $\log 2 / \log 10 \approx 0.301$.
#
# <details><summary>Hint 1</summary>
#
# `np.bincount` counts numbers, and has an argument for the least length of its result.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Sum only over `shares[shares > 0]`.
#
# </details>


# %% tags=["exercise:diversity"]
def diversity(digits):
    """Return the share of each digit, (10,), and how even they are, 0 to 1."""
    ### BEGIN SOLUTION
    shares = np.bincount(digits, minlength=10) / len(digits)
    present = shares[shares > 0]
    return shares, -np.sum(present * np.log(present)) / np.log(10)
    ### END SOLUTION


# %% tags=["check:diversity", "nbval-check-output"]
check.diversity(diversity)

# %% [markdown]
# Now for the generator. Among the real digits each has a share of about a tenth. Before you look:
# will some digit be missing among the made ones?

# %%
digit_shares = np.bincount(read_fakes, minlength=10) / COUNT
evenness = entropy(digit_shares) / np.log(10)
figure, axis = plt.subplots(figsize=(6, 2.6))
axis.bar(range(10), digit_shares, color=plots.BLUE)
axis.axhline(0.1, color="black", linestyle=":", linewidth=1)
axis.set_xticks(range(10))
axis.set_xlabel("digit, as the judge reads it")
axis.set_ylabel("share")
plots.show(
    figure,
    alt="Bars of the share of each digit among the made images; all are there, some rarer than a tenth.",
)
print(f"rarest {digit_shares.min():.3f}, evenness {evenness:.3f}")

# %% [markdown]
# The dotted line is a tenth. (The judge has to name one of the ten digits even for a scribble. So a
# share counts what it reads, not what is well made.) Two things are asked of the generator: no digit
# may be missing, and the shares must be fairly even.

# %%
check.reached("share of the rarest digit", digit_shares.min(), at_least=0.01)
check.reached("evenness", evenness, at_least=0.9)

# %% [markdown]
# The shares are uneven, but no digit is missing, although nobody told the generator that there are
# ten: if it never made one of them, that digit would be a sure sign of a real image. (Why look at
# the rarest as well? If one digit were missing and the nine others even, the evenness would still
# be log 9 / log 10, about 0.954.)

# %% [markdown]
# ### Exercise 9: the distance between two heaps
#
# Diversity counts digits but doesn't see how they look. Heusel et al. (2017) compare the features of
# real and made images as two heaps, each with a mean $\mu$ and a covariance matrix $C$. If both were
# normal distributions, the **Fréchet distance** between them would be
#
# $$ |\mu - \mu'|^2 + \mathrm{trace}\left(C + C' - 2 (C C')^{1/2}\right). $$
#
# (In the covariance matrix the variance of each feature is on the diagonal, and beside it how two
# of them vary together. The trace of a matrix is the sum of its diagonal, and $(C C')^{1/2}$ is the
# matrix that gives $C C'$ when multiplied by itself. Strictly the formula is the *square* of a
# distance. Computed with the features of a certain network for photos, Inception, it is the
# well-known FID.)
#
# The first part sees images that are wrong on average, the second sees too much or too little
# variety. Write `frechet(real, made)` for features `(n, f)` and `(m, f)`, with two features or
# more. Return one number.
#
# With one feature it would be $(\mu - \mu')^2 + (\sigma - \sigma')^2$: two heaps with the same
# center and $\sigma = 1$ and $\sigma' = 3$ have the distance $1 + 9 - 2 \sqrt{1 \cdot 9} = 4$.
#
# <details><summary>Hint 1</summary>
#
# `np.cov(real, rowvar=False)` is the covariance of the columns. The root is that of a *matrix*, not
# of its entries, and the product is that of matrices, `@`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The trace of a matrix is the sum of its eigenvalues, and the eigenvalues of the root are the roots
# of the eigenvalues. So only `np.linalg.eigvals(C @ C')` is needed. Rounding can make them a tiny
# bit negative or complex: take the `.real` part, and `np.maximum` with 0.
#
# </details>


# %% tags=["exercise:frechet"]
def frechet(real, made):
    """Return the Frechet distance between two heaps of features, (n, f) and (m, f)."""
    ### BEGIN SOLUTION
    difference = real.mean(axis=0) - made.mean(axis=0)
    c, d = np.cov(real, rowvar=False), np.cov(made, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(c @ d).real, 0))
    return np.sum(difference**2) + np.trace(c) + np.trace(d) - 2 * np.sum(roots)
    ### END SOLUTION


# %% tags=["check:frechet", "nbval-check-output"]
check.frechet(frechet)

# %% [markdown]
# A distance alone says nothing: is 20 near? It depends on the judge and on the number of images. So
# we measure it for images whose worth we know: other real digits, real ones with noise, the mean image
# of each digit, and noise. (The digits are drawn at random: MNIST is in the order of its writers, and
# the first ones would be those of a few people.)

# %%
some = rng.permutation(len(digits.x_train))[:COUNT]
real = digits.x_train[some, :, :, None].astype("float32")
named = digits.y_train[some]
means = np.stack([real[named == digit].mean(axis=0) for digit in range(10)])
grain = np.random.default_rng(1).normal(0, 50, real.shape)
heaps = {
    "real, others": real,
    "made by the GAN": fakes,
    "real with noise": np.clip(real + grain, 0, 255),
    "the mean of each digit": means[named],
    "noise": np.random.default_rng(2).uniform(0, 255, real.shape),
}
for name, heap in heaps.items():
    distance = gan.frechet(features_test, read(heap)[1])
    print(f"{name:24}{distance:8.1f}")
print(f"{'real, only 200':24}{gan.frechet(features_test, read(real[:200])[1]):8.1f}")

# %% [markdown]
# The made images come after the real ones and before all others. The mean images are blurred, and
# there are only ten of them, each shown some 200 times: wrong on average, and without variety. A number
# like this means something only **beside its references**, with the same judge and as many images:
# the last line is for 200 of the real digits of the first line, and yet it is larger.

# %% [markdown]
# ### Exercise 10: were they copied?
#
# A generator that had learned 1,500 training images by heart would pass both tests. Write
# `nearest(made, real)`: for each made image, `(m, 28, 28)`, the index of the nearest real one in
# `(n, 28, 28)`, and the distance to it, $\sqrt{\sum (\text{difference of the pixels})^2}$. Return two
# arrays, `(m,)` each. The images may be `uint8`.
#
# <details><summary>Hint 1</summary>
#
# `uint8` can't hold $3 - 5$: it gives 254. Turn both into floats first.
#
# </details>
# <details><summary>Hint 2</summary>
#
# With images as rows, a loop over the made ones is simple: `((real - image) ** 2).sum(axis=1)`
# holds the squared distances of one made image to all real ones. `scipy.spatial.distance.cdist`
# does it without a loop.
#
# </details>


# %% tags=["exercise:nearest"]
def nearest(made, real):
    """Return the index of the nearest real image for each made one, (m,), and the distance, (m,)."""
    ### BEGIN SOLUTION
    made = np.asarray(made, float).reshape(len(made), -1)
    real = np.asarray(real, float).reshape(len(real), -1)
    index, distance = [], []
    for image in made:
        squared = ((real - image) ** 2).sum(axis=1)
        index.append(squared.argmin())
        distance.append(np.sqrt(squared.min()))
    return np.array(index), np.array(distance)
    ### END SOLUTION


# %% tags=["check:nearest", "nbval-check-output"]
check.nearest(nearest)

# %% [markdown]
# How near is too near? New *real* digits, which nobody can have copied, have neighbors among the
# training digits too. A copyist's distances would be much smaller than theirs. (To be quick, we
# search among the first 10,000 training digits only: that finds a habit of copying, but not a
# single copy.)

# %%
from sklearn.neighbors import NearestNeighbors

known_digits = digits.x_train[:10000].reshape(10000, -1).astype("float32")
search = NearestNeighbors(n_neighbors=1).fit(known_digits)
of_made, place = search.kneighbors(fakes[:200].reshape(200, -1))
of_test, _ = search.kneighbors(test[:200].reshape(200, -1).astype("float32"))
for name, distance in [("made", of_made), ("test", of_test)]:
    least, median = distance.min(), np.median(distance)
    print(f"{name} to training digits: least {least:5.0f}, median {median:5.0f}")

# %% [markdown]
# Numbers can mislead, so look at some pairs, too. What is the same in a made digit and its
# neighbor, and what differs?

# %%
pairs = np.concatenate([fakes[:10, ..., 0], known_digits[place[:10, 0]].reshape(10, 28, 28)])
plots.show(
    plots.images(pairs.astype("uint8"), size=0.6, row_names=["made", "nearest"]),
    alt="Ten made digits, and below each the most similar training digit.",
)

# %% [markdown]
# Below each made digit stands the most similar one of 10,000 training digits: alike, but not the
# same. A copy would have a distance near 0; the made ones keep away from the training digits, as
# new real ones do. There is no sign of copying among these.

# %% [markdown]
# ## Asking for a digit
#
# A generator that makes *some* digit is of little use. A **conditional GAN** (Mirza and Osindero
# 2014) gives the label to both players: to the generator as an order, to the discriminator as the
# question "is this a real image *of that digit*?". For the generator each digit gets a learned
# vector of its own, an **embedding**, which is put beside the noise.
#
# For the discriminator Miyato and Koyama (2018) found a good form, the **projection**: with the
# features $f$ of the image and a learned vector $v_y$ of the label,
#
# $$ \text{logit} = w \cdot f + v_y \cdot f. $$
#
# The dots are dot products, and $w$ holds the weights of a dense layer with one unit. The first
# part asks "does it look real?", the second "does it look like a $y$?".

# %%
noise, digit = keras.Input((LATENT,)), keras.Input((), dtype="int32")
order = layers.Concatenate()([noise, layers.Embedding(10, LATENT)(digit)])
asked_generator = keras.Model([noise, digit], paint(order))

image, label = keras.Input((28, 28, 1)), keras.Input((), dtype="int32")
f = features(image)
real_or_not = layers.Dense(1)(f)
right_digit = layers.Dot(1)([f, layers.Embedding(10, f.shape[-1])(label)])
asked_discriminator = keras.Model([image, label], layers.Add()([real_or_not, right_digit]))

# %% [markdown]
# The same loop plays the game, with labels and, this time, with more rounds and twice the rate. It
# takes a good minute on two cores; on a GPU it plays even more rounds. While it plays, you see ten
# images: the generator is asked for 0, 1, 2 and so on to 9.

# %%
STEPS = training.by_device(cpu=2000, gpu=4000)
asked_game = gan.Game(asked_generator, asked_discriminator, rate=falling(STEPS, rate=4e-3))
watch_asked = [watch, np.arange(10, dtype="int32")]
_ = play(asked_game, STEPS, watch_asked, labels=True)

# %% [markdown]
# Each column holds the digit that was asked for, five times, from different noise. What is the same
# within a column, and what differs?

# %%
asked = np.repeat(np.arange(10, dtype="int32"), COUNT // 10)
ordered = to_pixels(asked_generator.predict([z, asked], batch_size=500, verbose=0))
shown = [ordered[asked == digit][row] for row in range(5) for digit in range(10)]
plots.show(
    plots.images(np.stack(shown)[..., 0].astype("uint8"), columns=10, size=0.6),
    alt="Five rows of ten made digits; each column holds the digit that was asked for, 0 to 9.",
)

# %% [markdown]
# Within a column it should be the digit that stays and the handwriting that changes. How often does
# the judge read what was asked for? Guessing would be right in a tenth of the cases. And how far
# are these images from the real ones? Compare with the GAN without labels in the list above.

# %%
read_ordered, features_ordered = read(ordered)
as_asked = read_ordered == asked
worst = min(as_asked[asked == digit].mean() for digit in range(10))
asked_distance = gan.frechet(features_test, features_ordered)
real_distance = gan.frechet(features_test, read(heaps["real, others"])[1])
print(f"the digit asked for: {as_asked.mean():.1%}, of the worst digit {worst:.1%}")
print(f"Frechet distance {asked_distance:.1f}, of real digits {real_distance:.1f}")

# %% [markdown]
# The generator does as it is told, with a mistake here and there, and its images are nearer to the
# real ones than those of the first GAN. (The label is not the only reason: this game also had more
# rounds and a higher rate.)

# %%
bars = (0.95, 0.85) if digits.source.real else (0.9, 0.75)  # the offline digits are harder to read
check.reached("share of the digit asked for", as_asked.mean(), at_least=bars[0])
check.reached("share right of the worst digit", worst, at_least=bars[1])
check.reached(
    "Frechet distance, in that of real digits", asked_distance / real_distance, at_most=7.5
)

# %% [markdown]
# ## Between two images
#
# Every noise vector gives an image, and neighbors give images that are alike. So one can walk from
# one image to another. Along a straight line? Noise of 32 numbers lies near a sphere: its length,
# the root of the sum of 32 squares, is mostly near $\sqrt{32} \approx 5.7$. The middle of a
# straight line between two points of a sphere lies inside it, where hardly any noise is.

# %%
start, end = np.random.default_rng(5).standard_normal((2, LATENT))
print("lengths:", np.linalg.norm(start).round(2), np.linalg.norm(end).round(2))
print("the middle:", np.linalg.norm((start + end) / 2).round(2))

# %% [markdown]
# The middle is clearly shorter than both ends. A path along the sphere avoids that.
#
# ### Exercise 11: along the sphere
#
# Write `slerp(start, end, steps)`, the *spherical linear interpolation* (Shoemake 1985; White 2016
# for GANs): `steps` rows from `start` to `end`, both included, `(steps, k)`. With $\omega$ the
# angle between the two vectors and $t$ going from 0 to 1 in equal steps, each row is
#
# $$ \frac{\sin((1-t)\,\omega)}{\sin \omega} \, \text{start} + \frac{\sin(t\,\omega)}{\sin \omega} \,
# \text{end}, \qquad \cos\omega = \frac{\text{start} \cdot \text{end}}{|\text{start}|\,|\text{end}|}. $$
#
# Where both vectors point the same or the opposite way, $\sin \omega = 0$: there take the straight
# line, $(1 - t) \, \text{start} + t \, \text{end}$. (Rounding makes the sine a tiny number rather
# than 0, so ask whether it is below 1e-6.) From $(1, 0)$ to $(0, 1)$ with `steps=3` the middle row
# is $(0.707, 0.707)$, whose length is 1; the straight line has $(0.5, 0.5)$ there.
#
# <details><summary>Hint 1</summary>
#
# `t = np.linspace(0, 1, steps)[:, None]` is a column, so that `(1 - t) * start` has the shape
# `(steps, k)`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Rounding can push the cosine beyond 1, where `np.arccos` gives NaN: `np.clip(cosine, -1, 1)`.
#
# </details>


# %% tags=["exercise:slerp"]
def slerp(start, end, steps):
    """Return `steps` points from start to end (k,) along the great circle, (steps, k)."""
    ### BEGIN SOLUTION
    t = np.linspace(0, 1, steps)[:, None]
    cosine = np.dot(start, end) / np.linalg.norm(start) / np.linalg.norm(end)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - t) * start + t * end
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
    ### END SOLUTION


# %% tags=["check:slerp", "nbval-check-output"]
check.slerp(slerp)

# %% [markdown]
# Each row walks along the sphere from one noise vector to another while the digit asked for stays;
# the lengths go from that of the start to that of the end. Under the figure stands what the judge
# reads. What changes along a row, and what stays? And do the rows of different digits change alike?

# %%
from scipy.spatial import geometric_slerp

lengths = np.linspace(np.linalg.norm(start), np.linalg.norm(end), 10)[:, None]
ends = start / lengths[0], end / lengths[-1]
walk = (lengths * geometric_slerp(*ends, np.linspace(0, 1, 10))).astype("float32")
rows = {
    f"asked: {digit}": to_pixels(
        asked_generator.predict([walk, np.full(10, digit, "int32")], verbose=0)
    )
    for digit in [2, 4, 7, 8]
}
pictures = np.concatenate(list(rows.values()))[..., 0].astype("uint8")
plots.show(
    plots.images(pictures, size=0.6, row_names=list(rows)),
    alt="Four rows, of the digits 2, 4, 7 and 8; along each row the handwriting changes slowly.",
)
for name, row in rows.items():
    print(f"{name}, the judge reads", *read(row)[0])

# %% [markdown]
# The digit mostly stays, the handwriting changes: slant, width, weight of the stroke. The label took
# the *what*, so that the noise was left for the *how*, and the same noise often means a similar slant
# or weight in several rows.

# %% [markdown]
# ## The long version
#
# One training proves little: with another seed the numbers differ. `datasets/measure_gans.py`
# trained the players of this lab from several seeds, with a discriminator half again as wide, a
# lower rate and 3,000 rounds each, and two simpler conditional games: there the label goes into the
# discriminator as one more map beside the image, without and with dropout in it. **These numbers
# are read from the file that it wrote**: the means over `count` seeds, then the worst of them.
# `right` is the share of the digit asked for, `distance` the Fréchet distance, beside that of real
# digits. "no label" was asked for nothing, so nothing can be right, and NaN stands there. Which
# form does as it is told?

# %%
import pandas as pd

table = pd.read_csv(gan.MEASURED)
mine = table[table["data"] == ("real" if digits.source.real else "offline")]
by_kind = mine.drop(columns=["data", "seed", "seconds"]).groupby("kind", sort=False)
print(by_kind.mean().round(3).assign(count=by_kind.size()).to_string())
print("\nthe worst of the seeds:")
print(by_kind[["right", "worst digit", "rarest"]].min().round(3).to_string())

# %% [markdown]
# The projection does, and its images are the nearest to the real ones. The other two forms with a
# label are right clearly less often, and with some seed there is a digit that they hardly ever make
# when asked for it. All forms with a label have the same generator, and all play as many rounds. What
# differs is what the discriminator can do with the label, and so how clearly it can say "well made,
# but no 4".

# %% [markdown]
# ## What came after, and misuse
#
# - **CycleGAN** (Zhu et al. 2017) turns photos of summer into winter without a single pair to learn
#   from: two generators, there and back, and what comes back must be the image that left.
# - **StyleGAN** (Karras et al. 2019) turns the noise into a *style* for every layer, coarse ones
#   for the pose and the shape of a face, fine ones for its colors: faces that no longer look made.
# - **DGMR** (Ravuri et al. 2021) forecasts rain from radar. A network trained with a squared error
#   blurs, as your autoencoder did, because the mean of all that may happen is safest. A generator
#   that has to fool a discriminator draws *one* sharp possibility, and further draws give others.
# - **Diffusion models** (Ho et al. 2020) have replaced GANs for most images: they learn to remove
#   noise, step by step, with an ordinary loss and without an opponent. Your denoiser is a first
#   step.
#
# A network that makes faces makes them for fraud as well: faked photos and voices of real people, and
# evidence of what never happened. A made image that is passed on needs a word that says so. In science
# the danger is quieter: what a generator adds looks exactly like data. It was learned from other
# data, and it is *not a measurement*.

# %% [markdown]
# ## Recap
#
# - An autoencoder squeezes data through a bottleneck; thanks to its activation functions it keeps
#   more than PCA does with as many numbers. Its code has holes, so it makes poor new data.
# - A denoiser removes what it was trained to remove, and invents where it doesn't know.
# - A GAN is a game: the discriminator's loss is a cross-entropy, the generator's the one that
#   doesn't saturate. Each step moves one player and holds the other still.
# - Losses don't tell how good the images are. Numbers do, beside their references: diversity, the
#   Fréchet distance, nearest neighbors.
# - A generator that outruns its opponent drops modes: mode collapse, seen only in many images.
# - A label given to both players makes a generator that does as it is told; the noise decides how
#   the digit is written.
#
# ### Go further
#
# - Give the discriminator of the conditional game your smoothing: `discriminator_loss` with
#   `smooth=0.1`, by `lambda real, made: discriminator_loss(real, made, 0.1)`. What do its logits
#   do?
# - Let the generator take two steps for each one of the discriminator, or five. Watch the evenness.
# - Replace the pixels of `nearest` by a distance between the judge's *features*. Are the neighbors
#   others?
# - Train the conditional GAN on 500 digits only, and look at the nearest neighbors again.
#
# ### References
#
# - I. Goodfellow et al. (2014). Generative adversarial nets. *NeurIPS*.
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter (2017). GANs trained by a two
#   time-scale update rule converge to a local Nash equilibrium. *NeurIPS*.
# - G. E. Hinton and R. R. Salakhutdinov (2006). Reducing the dimensionality of data with neural
#   networks. *Science* 313, 504-507.
# - J. Ho, A. Jain and P. Abbeel (2020). Denoising diffusion probabilistic models. *NeurIPS*.
# - T. Karras, S. Laine and T. Aila (2019). A style-based generator architecture for generative
#   adversarial networks. *CVPR*.
# - D. P. Kingma and M. Welling (2014). Auto-encoding variational Bayes. *ICLR*.
# - M. Mirza and S. Osindero (2014). Conditional generative adversarial nets. arXiv:1411.1784.
# - T. Miyato and M. Koyama (2018). cGANs with projection discriminator. *ICLR*.
# - K. Pearson (1901). On lines and planes of closest fit to systems of points in space.
#   *Philosophical Magazine* 2, 559-572.
# - A. Radford, L. Metz and S. Chintala (2016). Unsupervised representation learning with deep
#   convolutional generative adversarial networks. *ICLR*.
# - S. Ravuri et al. (2021). Skilful precipitation nowcasting using deep generative models of radar.
#   *Nature* 597, 672-677.
# - T. Salimans et al. (2016). Improved techniques for training GANs. *NeurIPS*.
# - K. Shoemake (1985). Animating rotation with quaternion curves. *SIGGRAPH*, 245-254.
# - P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol (2008). Extracting and composing robust
#   features with denoising autoencoders. *ICML*.
# - T. White (2016). Sampling generative networks. arXiv:1609.04468.
# - J.-Y. Zhu, T. Park, P. Isola and A. A. Efros (2017). Unpaired image-to-image translation using
#   cycle-consistent adversarial networks. *ICCV*.

# %%
check.score_card()
