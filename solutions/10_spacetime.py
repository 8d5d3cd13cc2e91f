# %% [markdown]
# # Space and time together
#
# Where will it rain in an hour? Radar shows where it rains now, and where it rained a moment ago.
# Telling from such a film what comes next is called **nowcasting**. After this lab you will be
# able to
#
# - measure how fast a picture moves, and move it on: a forecast without any learning,
# - score forecasts of rain by lead time: MSE, CSI, POD, FAR,
# - put time into a convolutional network in five ways, and compute one step of a ConvLSTM
#   yourself,
# - compare networks at an equal budget with honest baselines,
# - say why forecasts trained on a squared error are blurred, measure it, and know what it costs
#   to undo it,
# - define extreme events by the local climate without a leak, and score their detection.
#
# You need about three hours. The notebook computes for about three minutes on two CPU cores and
# takes up to 1.4 GB of memory. The films of rain are generated, so nothing is downloaded. A real
# radar loop of Sydney is shown beside them where it is at hand.

# %%
import matplotlib.pyplot as plt
import numpy as np

from helpers import data, plots, training
from helpers.checks import spacetime as check

# %% [markdown]
# ## Rain on the radar
#
# A radar sends pulses and listens to their echo. Rain reflects, strong rain reflects more. The
# **reflectivity** spans so many powers of ten that it is written in decibels, **dBZ**: 10 dBZ more
# is ten times the reflectivity. 20 dBZ is light rain, 35 dBZ is moderate to heavy, 50 dBZ a
# violent shower. Each **sequence**, or film, has 12 frames, 10 minutes apart, of 32 x 32 pixels; a
# pixel is 2.5 km wide. Arrays are `(n, steps, height, width)`, in whole dBZ, and 0 is "no rain".

# %%
radar = data.radar()
print("test", radar.test.shape, radar.test.dtype, f"strongest {radar.test.max()} dBZ")

# %% [markdown]
# `draw` shows a frame as a map. On a map rows count upward, so `origin="lower"`; what is below
# 5 dBZ stays white.


# %%
def draw(axis, frame, title=""):
    """Draw a frame in dBZ; what is below 5 dBZ stays white."""
    image = axis.imshow(
        np.where(np.less(frame, 5), np.nan, frame),
        origin="lower",
        vmin=5,
        vmax=55,
        cmap="viridis_r",
    )
    axis.set_title(title, fontsize=9)
    axis.set(xticks=[], yticks=[])
    return image


# %% [markdown]
# Two films, a row each: every second frame. The lower one is **Sydney**, 3 November 2000, real,
# where it is at hand; else it is a second generated film. Look for what moves, what grows and
# what vanishes.

# %%
sydney = None if radar.sydney is None else np.maximum(radar.sydney, 0)  # below 0 dBZ is no rain
films = [radar.test[51], radar.test[5] if sydney is None else sydney]
figure, axes = plt.subplots(2, 6, figsize=(8.5, 3.9))
for row, shown in zip(axes, films, strict=True):
    for axis, step in zip(row, range(0, 12, 2), strict=True):
        image = draw(axis, shown[step], f"{10 * step} min")
    height, width = (radar.pixel_km * size for size in shown.shape[1:])
    row[0].set(xlabel=f"{width:g} km", ylabel=f"{height:g} km")
figure.colorbar(image, ax=axes, extend="max", label="reflectivity (dBZ)")
plots.show(
    figure,
    alt="Two rows of six radar pictures, twenty minutes apart. Patches of rain with strong "
    "cores drift across; some grow, others shrink, and new ones come in from the side.",
)

# %% [markdown]
# Most of what changes from frame to frame is **motion**: the wind carries the rain. On its way
# rain **grows and decays**, and small cells live shorter than wide areas. Some rain comes in from
# **outside**, which no method can know. Single specks are **clutter**, echoes of something other
# than rain: they come and go, and nobody can forecast them.
#
# In the generated films there are also **hills**: where air climbs it rains more, where it descends
# it rains less. Below are the hills, and the mean of all frames of the training films, which are
# made now: that takes about ten seconds. Do you see the one in the other?

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3))
for axis, values, label, colors in [
    (axes[0], radar.hills, "height (m)", "cividis_r"),
    (axes[1], radar.train.mean(axis=(0, 1)), "mean reflectivity (dBZ)", "viridis_r"),
]:
    image = axis.imshow(values, origin="lower", cmap=colors)
    axis.set(xlabel="column", ylabel="row")
    figure.colorbar(image, ax=axis, label=label)
plots.show(
    figure,
    alt="Left, a range of hills that crosses the map from bottom to top, up to a thousand "
    "meters high. Right, the mean reflectivity: it is highest along the hills.",
)

# %% [markdown]
# The range shows in the mean of thousands of frames, though hardly in a single one. Rain that stays
# on the hills while the wind blows is more than motion: a forecast by motion alone will miss it.

# %% [markdown]
# The task from here on: **six frames are given, the next six are to be forecast**. The *lead
# times* are 10, 20, ... 60 minutes. The films are independent of each other, so a split by film
# has no leak.

# %%
GIVEN = 6
given, truth = radar.test[:, :GIVEN], radar.test[:, GIVEN:]
forecasts = {}  # of the test films, by the name of what made them
minutes = 10 * np.arange(1, 7)
print("films to train", len(radar.train), "to validate", len(radar.val), "to test", len(radar.test))
print(f"given {given.shape}, to be forecast {truth.shape}")
print("lead times", minutes, "minutes")

# %% [markdown]
# ## Two forecasts without learning
#
# **Persistence**: the last frame stays as it is. Without this comparison no score means anything.
# As the rain moves, we should do better with **advection**: the last frame moves on as it has moved
# so far. For that we need the motion.
#
# How far has a picture moved? The Fourier transform (lab 07) helps: it writes a signal as a sum of
# waves. It gives one complex number for each wave: the absolute value is its amplitude (how strong
# it is), the angle its phase (where it begins). When the signal moves, the amplitudes stay, and
# only the *phases* turn: the farther the move, the more they turn. So
#
# 1. transform both: $A$ (after) and $B$ (before),
# 2. multiply $A$ by the complex conjugate of $B$. In a product angles add up, and the conjugate has
#    the opposite angle: the phases of the product are the *differences* of the phases,
# 3. divide by the absolute value: only the phases stay,
# 4. transform back: all waves add up in one peak, **at the displacement**.
#
# This is **phase correlation** (Kuglin and Hines 1975). In one dimension, with eight numbers,
# moved by 2 and by -3:

# %%
before = np.array([0, 3, 1, 0, 0, 0, 0, 0])
for move in (2, -3):
    after = np.roll(before, move)
    cross = np.fft.fft(after) * np.conj(np.fft.fft(before))
    peak = np.fft.ifft(cross / np.abs(cross)).real
    print(f"moved by {move:2}: ", np.round(peak, 1) + 0.0)

# %% [markdown]
# The first peak is at index 2. The second is at index 5: the transform takes the signal for a ring
# of 8, where 5 to the right is 3 to the left. So an index beyond half of the size stands for a
# negative move: 5 - 8 = -3.
#
# ### Exercise 1: how far?
#
# Write `displacement(before, after)` for pictures `(h, w)`. Return `(rows, columns)`, two whole
# numbers: by how many pixels `after` is moved against `before`. Positive is toward higher rows
# and columns ("down and right" in the array). A move is at most half the size in each direction.
#
# If the only wet pixel is at `[1, 4]` before and at `[3, 3]` after, the answer is `(2, -1)`.
#
# <details><summary>Hint 1</summary>
#
# As above, with `np.fft.fft2` and `np.fft.ifft2`. Where the absolute value may be 0, divide by
# `np.maximum(np.abs(cross), 1e-9)`.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.argmax` gives one number for the whole array; `np.unravel_index(number, peak.shape)` makes a
# row and a column of it. Then subtract the size wherever the index is beyond half of it.
# </details>


# %% tags=["exercise:displacement"]
def displacement(before, after):
    """Return by how many (rows, columns) `after` (h, w) has moved against `before` (h, w)."""
    ### BEGIN SOLUTION
    cross = np.fft.fft2(after) * np.conj(np.fft.fft2(before))
    peak = np.fft.ifft2(cross / np.maximum(np.abs(cross), 1e-9)).real
    place = np.unravel_index(np.argmax(peak), peak.shape)
    return tuple(
        int(p) - n if p > n / 2 else int(p) for p, n in zip(place, peak.shape, strict=True)
    )
    ### END SOLUTION


# %% tags=["check:displacement:2", "nbval-check-output"]
check.displacement(displacement)

# %% [markdown]
# For the wind of a film we do a little more (you needn't follow each line of it). All five pairs of
# neighboring frames vote: their products are added before the peak is sought. The edges are faded
# out, for no film is a ring. We divide only by the *root* of the absolute value, so that faint
# waves, mostly noise, count less. Only moves up to 5 pixels a frame (75 km/h) are considered. And
# in each direction a parabola through the peak and its two neighbors tells the fraction of a pixel.


# %%
def vertex(left, middle, right):
    """Return where the parabola through three values at -1, 0 and 1 has its peak."""
    return (left - right) / (2 * (left - 2 * middle + right) - 1e-9)


def wind(frames, fastest=5):
    """Return the motion (rows, columns) of frames (steps, h, w), in pixels per step."""
    window = np.outer(*[np.hanning(size + 2)[1:-1] for size in frames.shape[1:]])
    waves = np.fft.fft2((frames - frames.mean()) * window)
    cross = (waves[1:] * np.conj(waves[:-1])).sum(axis=0)
    match = np.fft.ifft2(cross / np.sqrt(np.abs(cross) + 1e-9)).real
    match = np.fft.fftshift(match)  # no move is now in the middle
    middle = np.array(match.shape) // 2
    moves = range(-fastest, fastest + 1)
    r, c = max(((middle[0] + a, middle[1] + b) for a in moves for b in moves), key=match.item)
    part = vertex(*match[r - 1 : r + 2, c]), vertex(*match[r, c - 1 : c + 2])
    return np.array([r, c]) - middle + part


# %% [markdown]
# A test with a known answer: one frame, moved by (1, -2) pixels a step. Then the wind of the
# test films; a pixel in 10 minutes is 15 km/h.

# %%
known = np.array([np.roll(radar.test[0, 0], (step, -2 * step), axis=(0, 1)) for step in range(6)])
print("known:", np.round(wind(known), 2), "pixels a step")
speeds = [np.hypot(*wind(film)) for film in given]
for share in (0.1, 0.5, 0.9):
    speed = np.quantile(speeds, share)
    print(
        f"{share:.0%} of the films are slower than {speed:.2f} pixels a step, {15 * speed:.0f} km/h"
    )

# %% [markdown]
# The known motion comes back to within a few hundredths of a pixel. And multiply the median by six:
# in the hour that is to be forecast, half of the films move by about a quarter of the map or more.
# What comes in on that side hasn't been seen.

# %% [markdown]
# ### Exercise 2: move it on
#
# Write `advect(frame, motion, steps)`. `frame` is `(h, w)`, `motion` is `(rows, columns)` in
# pixels per step and may have fractions. Return `(steps, h, w)`: at index 0 the frame moved once,
# at index 1 moved twice, and so on. Between pixels interpolate linearly. What comes in from
# outside is 0.
#
# `advect([[1, 2, 3]], (0, 1), 2)` is `[[[0, 1, 2]], [[0, 0, 1]]]`.
#
# <details><summary>Hint</summary>
#
# After `from scipy.ndimage import shift`, `shift(frame, move, order=1, cval=0)` moves by `move`,
# and `order=1` is linear. The k-th step moves the frame that was given by k times the motion:
# interpolating a frame again and again would blur it. Pass floats:
# `np.asarray(frame, dtype=float)`.
# </details>


# %% tags=["exercise:advect"]
def advect(frame, motion, steps):
    """Return the frame (h, w) moved on by 1 to `steps` times the motion, (steps, h, w)."""
    ### BEGIN SOLUTION
    from scipy.ndimage import shift

    frame = np.asarray(frame, dtype=float)
    moves = [np.multiply(k, motion) for k in range(1, steps + 1)]
    return np.stack([shift(frame, move, order=1, cval=0) for move in moves])
    ### END SOLUTION


# %% tags=["check:advect", "nbval-check-output"]
check.advect(advect)

# %% [markdown]
# Now the forecast for many films. What is outside the map? One guess is that it is dry there.
# Another is that it is as at the edge. To try both, we continue the frame by 30 pixels on all sides
# (enough for six moves of up to 5), with zeros or, `edge=True`, with the values at its edge; then
# we move it and cut the map out again.


# %%
def extrapolate(frames, edge=True):
    """Return six frames ahead by advection, float32 (n, 6, h, w), for frames (n, steps, h, w)."""
    forecast = []
    for film in frames.astype("float32"):
        wide = np.pad(film[-1], 30, "edge" if edge else "constant")
        forecast.append(advect(wide, wind(film), 6)[:, 30:-30, 30:-30])
    return np.array(forecast, "float32")


def mse(observed, forecast):
    """Return the mean squared error by lead time, (steps,), in dBZ squared."""
    return np.mean((observed.astype("float32") - forecast) ** 2, axis=(0, 2, 3))


# %% [markdown]
# We may choose the better guess, but not on the test films: on `val`. At which lead times does the
# edge help?

# %%
print("MSE (dBZ²) at ", "".join(f"{m:3} min" for m in minutes))
for name, edge in [("dry outside", False), ("as at its edge", True)]:
    error = mse(radar.val[:, GIVEN:], extrapolate(radar.val[:, :GIVEN], edge))
    print(f"{name:14}", "".join(f"{value:7.1f}" for value in error))

# %% [markdown]
# The edge helps in the near future: what comes in then was just outside, and resembles the edge.
# Later it is a bad guess to draw the edge far into the map. We keep it, for in use the nearest lead
# times matter most.
#
# Now the table, on the test films, and on Sydney where it is at hand. The first line is the mean
# of the training films at each pixel: it tells what "no idea" scores. What share of persistence's
# error does the motion explain 10 minutes ahead? And 60 minutes ahead?

# %%
climate = radar.train.mean(axis=(0, 1), dtype="float32")
forecasts |= {
    "mean": np.broadcast_to(climate, truth.shape),
    "persistence": np.repeat(given[:, -1:].astype("float32"), 6, axis=1),
    "advection": extrapolate(given),
}
print(f"{'MSE (dBZ²) at':20}", "".join(f"{m:3} min" for m in minutes))
for name, forecast in forecasts.items():
    print(f"{name:20}", "".join(f"{value:7.1f}" for value in mse(truth, forecast)))
if sydney is not None:
    carried = extrapolate(sydney[None, :GIVEN])
    for name, forecast in [
        ("persistence", sydney[None, GIVEN - 1 : GIVEN]),
        ("advection", carried),
    ]:
        error = mse(sydney[None, GIVEN:], forecast)
        print(f"Sydney, {name:12}", "".join(f"{value:7.1f}" for value in error))

# %% [markdown]
# Advection more than halves the squared error of persistence 10 minutes ahead. An hour ahead little
# of the gain is left: what has grown, decayed or come in since then is no matter of motion. And
# from 40 minutes on the *mean*, the same map for every film, has a smaller error than advection! We
# come back to that. (Where the loop of Sydney is at hand, advection gains even more on persistence
# there. But one loop is one evening: too little for a score.)

# %% [markdown]
# ## Scores for rain
#
# The squared error treats all pixels alike, and most of them are dry. Whoever warns of floods asks
# other questions: did we foresee the strong rain, and how many of our warnings were false? Set a
# threshold. A pixel is a
#
# - **hit**: rain observed and forecast,
# - **miss**: observed, not forecast,
# - **false alarm**: forecast, not observed,
# - correct negative: neither. These are many and easy, so the scores below don't count them.
#
# ### Exercise 3: CSI, POD, FAR
#
# Write `scores(observed, forecast, threshold)` for arrays `(n, steps, h, w)`. Return three arrays
# `(steps,)`, in this order:
#
# - the *critical success index* (Schaefer 1990) CSI = hits / (hits + misses + false alarms),
# - the *probability of detection* POD = hits / (hits + misses),
# - the *false alarm ratio* FAR = false alarms / (hits + false alarms).
#
# Rain is a value **at or above** the threshold. Add up the counts of all films and pixels of a
# lead time, then divide. Where there is nothing to divide by, the score is NaN.
#
# One film, one step, threshold 20: observed `[[30, 20, 0, 0]]`, forecast `[[25, 0, 40, 0]]` has
# one hit, one miss, one false alarm: CSI 1/3, POD 1/2, FAR 1/2.
#
# <details><summary>Hint</summary>
#
# `np.sum(a & b, axis=(0, 2, 3))` counts, for each lead time, where two arrays of True and False
# are both True; `~b` is the opposite of `b`. `with np.errstate(invalid="ignore"):` divides 0 by 0
# to NaN without a warning.
# </details>


# %% tags=["exercise:scores"]
def scores(observed, forecast, threshold):
    """Return CSI, POD and FAR by lead time, each (steps,), of frames (n, steps, h, w)."""
    ### BEGIN SOLUTION
    seen, said = np.asarray(observed) >= threshold, np.asarray(forecast) >= threshold
    hits = np.sum(seen & said, axis=(0, 2, 3))
    misses = np.sum(seen & ~said, axis=(0, 2, 3))
    alarms = np.sum(~seen & said, axis=(0, 2, 3))
    with np.errstate(invalid="ignore"):
        return hits / (hits + misses + alarms), hits / (hits + misses), alarms / (hits + alarms)
    ### END SOLUTION


# %% tags=["check:scores:2", "nbval-check-output"]
check.scores(scores)

# %% [markdown]
# `compare` draws three panels by lead time, now and for the networks later: the MSE, where low is
# good, and the CSI of rain from 20 and from 35 dBZ, where 1 is perfect and 0 means no hit at all.


# %%
LINES = {  # color and marker, the same for a forecast in all figures
    "persistence": (plots.BLACK, "x"),
    "advection": (plots.BLUE, "o"),
    "channels": (plots.SKY, "v"),
    "CNN + LSTM": (plots.ORANGE, "s"),
    "3-D CNN": (plots.VERMILION, "^"),
    "ConvLSTM": (plots.GREEN, "D"),
}


def compare(names):
    """Return a figure of MSE and CSI by lead time, a line for each of the forecasts."""
    figure, axes = plt.subplots(1, 3, figsize=(8.5, 3))
    for name in names:
        look = dict(zip(("color", "marker"), LINES[name], strict=True), markersize=5)
        if name == "channels":  # on top and dashed, for the ConvLSTM has nearly the same line
            look |= dict(linestyle="--", zorder=3)
        axes[0].plot(minutes, mse(truth, forecasts[name]), label=name, **look)
        for axis, threshold in zip(axes[1:], (20, 35), strict=True):
            csi = scores(truth, forecasts[name], threshold)[0]
            axis.plot(minutes, csi, **look)
            axis.set(ylabel=f"CSI, {threshold} dBZ", ylim=(0, 0.65))
    axes[0].set(ylabel="MSE (dBZ²)", ylim=(0, None))
    for axis in axes:
        axis.set(xlabel="lead time (min)", xticks=minutes)
    figure.legend(loc="outside upper center", ncols=5)
    return figure


# %% [markdown]
# First the two forecasts without learning. How long are forecasts of *strong* rain of any use?

# %%
plots.show(
    compare(["persistence", "advection"]),
    alt="MSE of persistence and advection rises with lead time, that of advection from less "
    "than half. CSI at 20 dBZ falls from 0.44 and 0.6 to 0.1 and 0.15; at 35 dBZ both "
    "are near 0 after half an hour.",
)

# %% [markdown]
# The strong cores are small and short-lived: after half an hour hardly any of them is where
# advection puts it. That is the challenge for a network. It would have to know how rain grows and
# decays.

# %% [markdown]
# ## Five ways to put time into a network
#
# A film is `(steps, height, width, channels)`. A `Conv2D` has no axis for time. What can be done
# with the steps?
#
# 1. **Frames as channels.** Six gray frames are a picture with six channels. Quick, and the order
#    counts, for each frame has weights of its own. But time collapses in the first layer: each
#    filter adds up all frames, and what comes out has no axis for time.
# 2. **CNN per frame, then pooling over time.** Each frame becomes a vector (`TimeDistributed`
#    applies a layer to each frame), and the maximum or the mean is taken over time.
# 3. **CNN per frame, then an LSTM** reads the vectors in their order.
# 4. **3-D convolution.** The kernel extends in time as well, and slides along it.
# 5. **ConvLSTM.** An LSTM whose states are pictures, and whose products are convolutions.
#
# Now we need Keras. `run` returns what a model makes of its input as a NumPy array.


# %%
import keras
from keras import layers


def run(model, x):
    """Return what a model makes of x, as an array."""
    return keras.ops.convert_to_numpy(model(x))


# %% [markdown]
# The second way has a catch. Here is such a network with random weights: a CNN for each frame, then
# the maximum over time. Will a film that runs backward give other numbers?

# %%
keras.utils.set_random_seed(10)
film = given[:1, ..., None].astype("float32") / 30
pooled = keras.Sequential(
    [
        layers.TimeDistributed(layers.Conv2D(4, 3, strides=4, activation="relu")),
        layers.TimeDistributed(layers.Flatten()),
        layers.GlobalMaxPooling1D(),
    ]
)
forward, backward = run(pooled, film), run(pooled, film[:, ::-1])
print(forward.shape, "largest difference:", np.abs(forward - backward).max())

# %% [markdown]
# Not at all. Pooling over time tells *whether* something was seen, not *when*: good enough to say
# that a video shows a dog, useless for the direction of the wind. An LSTM in its place keeps the
# order. But its input is a vector, where each place in the picture has weights of its own: what the
# LSTM has learned of the motion at one place doesn't serve at another.

# %% [markdown]
# ### Exercise 4: the shape of a 3-D convolution
#
# A `Conv3D` slides a small box along time, height and width. Write `conv3d_shape(size, kernel,
# stride, padding)`, where the first three are tuples of three (time, height, width). Return the
# tuple of the output's three sizes. In each direction, for size i, kernel k and stride s:
#
# - `"valid"`: only whole windows count, $\lfloor (i - k) / s \rfloor + 1$,
# - `"same"`: the input is padded so that the output's size is $\lceil i / s \rceil$.
#
# `conv3d_shape((6, 32, 28), (3, 3, 3), (1, 2, 2), "valid")` is `(4, 15, 13)`, with `"same"` `(6,
# 16, 14)`.
#
# <details><summary>Hint</summary>
#
# `zip(size, kernel, stride)` gives i, k and s of one direction after the other. `//` rounds down;
# `-(-i // s)` rounds up.
# </details>


# %% tags=["exercise:conv3d_shape"]
def conv3d_shape(size, kernel, stride, padding):
    """Return the (time, height, width) that comes out of a 3-D convolution."""
    ### BEGIN SOLUTION
    if padding == "same":
        return tuple(-(-i // s) for i, s in zip(size, stride, strict=True))
    return tuple((i - k) // s + 1 for i, k, s in zip(size, kernel, stride, strict=True))
    ### END SOLUTION


# %% tags=["check:conv3d_shape", "nbval-check-output"]
check.conv3d_shape(conv3d_shape)

# %% [markdown]
# What does a `Conv2D` collapse that a `Conv3D` keeps? Both get the same six frames. Look for the 6
# in the shapes before and after, and at the weights: the 3-D kernel is used again at each time, the
# 2-D one has weights of its own for each frame.

# %%
as_channels = layers.Conv2D(8, 3, padding="same")
in_time = layers.Conv3D(8, 3, padding="same")
for name, layer, x in [
    ("2-D", as_channels, np.moveaxis(film[..., 0], 1, -1)),
    ("3-D", in_time, film),
]:
    print(f"{name}  {x.shape} -> {tuple(layer(x).shape)}, {layer.count_params()} weights")

# %% [markdown]
# The 2-D output has no 6 any more; the 3-D output has kept it. Count the weights by hand: each of
# the eight 2-D filters has 3 x 3 for each of six frames and a bias, 8 (54 + 1) = 440. Each 3-D
# filter has 3 x 3 x 3 for the one channel and a bias, 8 (27 + 1) = 224.

# %% [markdown]
# ### One step of a ConvLSTM
#
# You know the LSTM of lab 07. It reads $x_t$, and keeps a memory $c$ and an output $h$. In a
# **ConvLSTM** (Shi et al. 2015) $x$, $h$ and $c$ are pictures with channels, and each matrix
# product is a convolution, written $*$:
#
# $$z = W * x + U * h + b$$
# $$i = \sigma(z_i),\quad f = \sigma(z_f),\quad g = \tanh(z_g),\quad o = \sigma(z_o)$$
# $$c' = f \cdot c + i \cdot g \qquad\qquad h' = o \cdot \tanh(c')$$
#
# $z$ has four parts, one for each of $i$, $f$, $g$ and $o$; the dot multiplies number by number. So
# the gates decide *at each pixel* what is forgotten and what is written. The convolution with $h$
# lets the memory **move**: by up to one pixel a step with a 3 x 3 kernel, two with 5 x 5.
#
# ### Exercise 5: a step by hand
#
# Write `convlstm_step(x, h, c, kernel, recurrent, bias)`, which returns `(h_new, c_new)`. Shapes:
# `x` `(n, rows, columns, d)`, `h` and `c` `(n, rows, columns, u)`, `kernel` `(k, k, d, 4u)`,
# `recurrent` `(k, k, u, 4u)`, `bias` `(4u,)`. Both convolutions have padding "same". The last
# axis of z holds the four parts side by side, in Keras's order **i, f, g, o**. (Shi et al. also
# let c act on the gates. Keras does not, and you needn't.)
#
# If all weights and biases are 0, all gates are 1/2 and g is 0. So c = 2 becomes 1, and h becomes
# 0.5 tanh(1) = 0.38.
#
# <details><summary>Hint 1</summary>
#
# `keras.ops.conv(x, kernel, padding="same")` is the convolution; `keras.ops.split(z, 4, axis=-1)`
# gives the four parts.
# </details>
# <details><summary>Hint 2</summary>
#
# `keras.ops.sigmoid` for i, f and o, `keras.ops.tanh` for g and once more for the new c.
# </details>


# %% tags=["exercise:convlstm_step"]
def convlstm_step(x, h, c, kernel, recurrent, bias):
    """Return the new h and c, (n, rows, columns, u), of a ConvLSTM that has read x."""
    ### BEGIN SOLUTION
    from keras import ops

    z = ops.conv(x, kernel, padding="same") + ops.conv(h, recurrent, padding="same") + bias
    i, f, g, o = ops.split(z, 4, axis=-1)
    c_new = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c_new), c_new
    ### END SOLUTION


# %% tags=["check:convlstm_step:2", "nbval-check-output"]
check.convlstm_step(convlstm_step)

# %% [markdown]
# ## Four networks, one budget
#
# A comparison is fair only at an equal **budget**. The second way is out, for it can't tell the
# direction of the wind. The other four have about 40,000 weights each, the same films, the same
# loss (MSE), and times of training that are roughly alike: the more a step costs, the fewer epochs
# a network gets. The first layer of each halves the picture (stride 2), so most of the work is done
# on 16 x 16. The last one, a transposed convolution (lab 06), makes six frames of 32 x 32.
#
# Reflectivity is divided by 30, for networks like numbers of the size of 1.
#
# First the frames as channels. `Permute` and `Reshape` put the six frames where the channels are.
# After the first layer there is one picture. Four more convolutions look at it; two of them are
# *dilated* (lab 09): their kernels have gaps of one and of three pixels, so that they see farther
# with as many weights.


# %%
def conv_channels():
    """The six frames are the channels of one picture; kernels with gaps reach farther."""
    return [
        layers.Permute((2, 3, 1, 4)),
        layers.Reshape((32, 32, GIVEN)),
        layers.Conv2D(32, 3, 2, padding="same", activation="relu"),
        *(
            layers.Conv2D(32, 3, padding="same", activation="relu", dilation_rate=gap)
            for gap in (1, 2, 4, 1)
        ),
    ]


# %% [markdown]
# Then the CNN with an LSTM. Each frame shrinks to 8 x 8 with 8 channels, 512 numbers in a row. The
# LSTM reads six such rows and keeps 16 numbers: all that the second half of the network gets to know.


# %%
def cnn_lstm():
    """A CNN makes a vector of each frame; an LSTM reads the vectors; a decoder makes frames."""
    return [
        layers.TimeDistributed(layers.Conv2D(12, 3, 2, padding="same", activation="relu")),
        layers.TimeDistributed(layers.Conv2D(8, 3, 2, padding="same", activation="relu")),
        layers.TimeDistributed(layers.Flatten()),
        layers.LSTM(16),
        layers.Dense(8 * 8 * 8, activation="relu"),
        layers.Reshape((8, 8, 8)),
        layers.Conv2DTranspose(8, 4, 2, padding="same", activation="relu"),
    ]


# %% [markdown]
# The 3-D CNN halves the frames one by one. Then boxes slide along time as well, through two layers
# that keep all six steps. The kernel of the last `Conv3D` is six steps long, so it takes them in at
# once, and the axis of time ends there.


# %%
def conv_3d():
    """Boxes slide along time as well; the last one takes in all six steps at once."""
    return [
        layers.TimeDistributed(layers.Conv2D(16, 3, 2, padding="same", activation="relu")),
        layers.Conv3D(32, 3, padding="same", activation="relu"),
        layers.Conv3D(24, 3, padding="same", activation="relu"),
        layers.Conv3D(32, (6, 1, 1), activation="relu"),
        layers.Reshape((16, 16, 32)),
    ]


# %% [markdown]
# Last the ConvLSTM: the layer that you have computed by hand, with 16 channels and kernels of 5 x 5.
# `unroll=True` writes its six steps out one after the other instead of in a loop. The result is the
# same, and with JAX, which is slow with convolutions in a loop, it comes much sooner.


# %%
def conv_lstm():
    """The states are pictures, and the last one holds what is to come."""
    return [
        layers.TimeDistributed(layers.Conv2D(8, 3, 2, padding="same", activation="relu")),
        layers.ConvLSTM2D(16, 5, padding="same", unroll=True),
    ]


# %% [markdown]
# ### Exercise 6: who wins?
#
# Which forecast has the lower MSE 10 minutes ahead, and which 60 minutes ahead: `"advection"` or
# `"network"` (the best of the four)? Write one of these words, with its quotes, in place of each
# `None` (and delete the dots), **before** you train.
#
# <details><summary>Hint</summary>
#
# Look again at the rows of persistence, advection and mean in the table before "Scores for rain":
# which grow with the lead time, which don't? And which of these forecasts can a network always
# learn to make, even if it never finds the motion?
# </details>

# %% tags=["exercise:winner"]
best_first = None
best_last = None
### BEGIN SOLUTION
best_first = "advection"
best_last = "network"
### END SOLUTION

# %% [markdown]
# Each of the four trainings takes 15 to 40 seconds. The learning rate falls to 0 along a cosine,
# and the weights of the epoch that was best on `val` are kept.


# %%
def pair(films):
    """Return what is given, (n, 6, h, w, 1), and what follows, (n, 6, h, w), divided by 30."""
    films = films.astype("float32") / 30
    return films[:, :GIVEN, ..., None], films[:, GIVEN:]


def fit(model, train, val, epochs, loss="mse"):
    """Train with a rate that falls to 0; keep the weights that are best on `val`."""
    steps = epochs * len(train[1]) // 20
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(keras.optimizers.Adam(rate), loss)
    best = keras.callbacks.EarlyStopping(patience=epochs, restore_best_weights=True)
    model.fit(
        *train,
        batch_size=20,
        epochs=epochs,
        validation_data=val,
        verbose=0,
        callbacks=[best, *training.progress()],
    )


# %% [markdown]
# `train` adds the last layer, the same for all four, and trains. It prints weights and seconds, so
# that you can check the budget, and keeps the forecasts of the test films, times 30: dBZ again.

# %%
import time


def train(name, stack, epochs):
    """Train a network, and keep its forecasts of the test films under its name."""
    keras.utils.set_random_seed(10)
    head = [layers.Conv2DTranspose(6, 4, 2, padding="same"), layers.Permute((3, 1, 2))]
    model = keras.Sequential([keras.Input((GIVEN, 32, 32, 1)), *stack, *head])
    begin = time.perf_counter()
    fit(model, pair(radar.train), pair(radar.val), epochs)
    seconds = time.perf_counter() - begin
    forecasts[name] = 30 * run(model, pair(radar.test)[0])
    print(f"{name:12}{model.count_params():7,} weights, {epochs} epochs, {seconds:.0f} s")


# %% [markdown]
# The frames as channels: one picture goes through the layers instead of six, so a step is cheap,
# and there is time for 24 epochs.

# %%
train("channels", conv_channels(), 24)

# %% [markdown]
# The CNN with an LSTM is about as cheap, for its frames are soon small. Three quarters of its
# weights are in the LSTM, 4 x 16 x (512 + 16 + 1) of them, and no place shares them with another.

# %%
train("CNN + LSTM", cnn_lstm(), 24)

# %% [markdown]
# The two large layers of the 3-D CNN compute on six pictures of 16 x 16 instead of one. A step
# costs more, so there are fewer epochs.

# %%
train("3-D CNN", conv_3d(), 13)

# %% [markdown]
# The ConvLSTM has two convolutions of 5 x 5 for each of the six frames, and each frame has to wait
# for the one before. Nine epochs are what the budget allows.

# %%
train("ConvLSTM", conv_lstm(), 9)

# %% [markdown]
# The errors of all forecasts so far. Compare each network with *advection* in the first column, and
# with *mean* in the last.

# %%
print("MSE (dBZ²) at ", "".join(f"{m:4} min" for m in minutes))
for name, forecast in forecasts.items():
    print(f"{name:14}", "".join(f"{value:8.1f}" for value in mse(truth, forecast)))

# %% [markdown]
# Was your prediction right? For `"network"` the check takes the best of the four at each lead time.

# %% tags=["check:winner"]
networks = ["channels", "CNN + LSTM", "3-D CNN", "ConvLSTM"]
least = np.min([mse(truth, forecasts[name]) for name in networks], axis=0)
check.winner(
    best_first, best_last, {"advection": mse(truth, forecasts["advection"]), "network": least}
)

# %% [markdown]
# The same errors as lines, and beside them the CSI. When do the networks cross advection in the
# left panel? Do they cross it in the other two?

# %%
plots.show(
    compare(["advection", *networks]),
    alt="MSE: advection starts lowest and rises to by far the highest; frames as channels, the "
    "3-D CNN and the ConvLSTM cross it within half an hour and level off, the CNN with LSTM is "
    "high from the start. CSI at 20 and 35 dBZ: advection is highest at all lead times, the "
    "networks fall to nearly nothing.",
)

# %% [markdown]
# What the table and the figure show:
#
# - The **CNN + LSTM** is nearer to the mean of the training films than to advection, 10 minutes
#   ahead. Its vector of 16 numbers can't hold the places, and a longer one costs weights: that is the
#   price of a vector. (Shi et al. 2015 made their case for the ConvLSTM with a comparison like this
#   one.)
# - The **three others** have found the motion by themselves, from nothing but films, and are close to
#   each other: an axis of time isn't needed for that. But 10 minutes ahead they don't reach
#   advection, which *knows* that rain moves. They also have to *see* far enough. Count it for the 3-D
#   CNN: its kernels reach 1 pixel in the first layer, 2 in each of the next two (on half the
#   resolution), 1 in the transposed convolution at the end: 6 pixels. Compare that with the median
#   wind above, times six steps: more than half of the films move farther. But reach isn't all: the
#   frames as channels, with gaps in their kernels, reach 18 pixels and gain little by it.
# - From 30 minutes on they have a much smaller **MSE** than advection. Is that growth and decay,
#   learned? Look at the **CSI** before you cheer: there advection wins throughout.
#
# Something is strange. How can a forecast be closer in the mean square, and yet miss the rain?

# %% [markdown]
# ## Blur
#
# Real rain has edges and cores: neighboring pixels differ. How much do they differ in a forecast?
#
# ### Exercise 7: measure it
#
# Write `sharpness(frames)` for `(n, steps, h, w)`. Return `(steps,)`: for each lead time the mean
# of the squared differences of vertical neighbors **plus** the mean of those of horizontal
# neighbors, over all films and pixels.
#
# One frame `[[0, 2], [0, 2]]`: vertical differences are 0, 0; horizontal ones 2, 2. So its
# sharpness is 0 + 4 = 4.
#
# <details><summary>Hint</summary>
#
# `np.diff(frames, axis=-2)` has the vertical differences, `axis=-1` the horizontal ones. First
# make floats of the frames: unsigned whole numbers have no negative differences! Then square, and
# take the mean over the axes `(0, 2, 3)`.
# </details>


# %% tags=["exercise:sharpness"]
def sharpness(frames):
    """Return the mean squared difference of neighbors by lead time, (steps,)."""
    ### BEGIN SOLUTION
    frames = np.asarray(frames, dtype="float32")
    differences = np.diff(frames, axis=-2), np.diff(frames, axis=-1)
    return sum(np.mean(d**2, axis=(0, 2, 3)) for d in differences)
    ### END SOLUTION


# %% tags=["check:sharpness", "nbval-check-output"]
check.sharpness(sharpness)

# %% [markdown]
# A score sums up all films. `gallery` shows what single frames look like: forecasts of one film
# beside the truth, a row for each of three lead times.


# %%
def gallery(names, film):
    """Return a figure of forecasts of one film beside the truth, 10, 30 and 60 minutes ahead."""
    figure, axes = plt.subplots(3, len(names), figsize=(1.7 * len(names) + 0.8, 5.2))
    for row, step in zip(axes, (0, 2, 5), strict=True):
        for axis, name in zip(row, names, strict=True):
            frames = truth if name == "truth" else forecasts[name]
            image = draw(axis, frames[film, step], name if step == 0 else "")
        row[0].set_ylabel(f"{minutes[step]} min")
    figure.colorbar(image, ax=axes, extend="max", label="reflectivity (dBZ)")
    return figure


# %% [markdown]
# Now look: the truth, advection and two networks. What becomes of the strong cores? Under the
# figure is the sharpness 10, 20, ... 60 minutes ahead, as a share of that of the truth.

# %%
plots.show(
    gallery(["truth", "advection", "3-D CNN", "ConvLSTM"], 51),
    alt="Three rows, 10, 30 and 60 minutes ahead. The truth and advection stay full of "
    "detail with strong cores. The networks' frames are softer at 10 minutes, washed out "
    "at 30, and at 60 minutes a pale cloud without any core.",
)
for name in ("advection", "3-D CNN", "ConvLSTM"):
    share = sharpness(forecasts[name]) / sharpness(truth)
    print(f"{name:14}", "".join(f"{value:6.2f}" for value in share))

# %% [markdown]
# Advection shows rain that looks like rain, but more and more at the wrong places. (It loses some
# sharpness at once by interpolating between pixels, and later by the smooth stripes where it
# carried the edge inward.) The networks show a cloud that becomes paler and paler, and is never
# quite wrong. Why? An example by hand: there are two pixels, and a cell of 40 dBZ will come to the
# left one or to the right one, each with probability 1/2.

# %%
futures = np.array([[40, 0], [0, 40]])
for forecast in ([40, 0], [20, 20]):
    print(forecast, "mean squared error", np.mean((futures - forecast) ** 2))

# %% [markdown]
# The forecast that never happens, 20 and 20, has half the error of an honest bet. **What
# minimizes the squared error is the mean of all possible futures**, and the mean of sharp films
# is a blurred one. No threshold above 20 is ever reached in it, so the CSI of strong rain is 0.
# The network does precisely what we asked for.
#
# If this is so, blur alone should be rewarded. The test: **damped advection**, which draws the
# advected frames toward the mean of the rain,
#
# $$\text{damped} = \text{mean} + \text{keep} \cdot (\text{advected} - \text{mean}).$$
#
# The mean is that of all pixels to be forecast in the training films, and keep is *one* number for
# each lead time, fitted to the same films by least squares. It knows nothing of growth, decay or
# hills.


# %%
def fit_damping(moved, followed):
    """Return the mean, and by lead time which share of a deviation from it to keep."""
    mean = followed.mean()
    moved, followed = moved - mean, followed - mean
    keep = (moved * followed).sum(axis=(0, 2, 3)) / (moved**2).sum(axis=(0, 2, 3))
    return mean, keep[:, None, None]


def damp(moved, damping):
    """Return advected frames (n, 6, h, w), drawn toward the mean, by what `fit_damping` returns."""
    mean, keep = damping
    return (mean + keep * (moved - mean)).astype("float32")


# %% [markdown]
# The first line, "share kept", is keep. Which networks have a smaller MSE than these six numbers, and
# at which lead times?

# %%
moved = {name: extrapolate(getattr(radar, name)[:, :GIVEN]) for name in ("train", "val", "test")}
damping = fit_damping(moved["train"], radar.train[:, GIVEN:].astype("float32"))
forecasts["damped"] = damp(moved["test"], damping)
print("share kept    ", "".join(f"{share:8.2f}" for share in damping[1].ravel()))
for name in ("advection", "damped", *networks):
    print(f"{name:14}", "".join(f"{value:8.1f}" for value in mse(truth, forecasts[name])))

# %% [markdown]
# At this budget six numbers beat all networks at each lead time! So a small MSE an hour ahead is no
# evidence of insight into the life of rain. It may be a reward for caution alone. Remember this
# row: whoever shows you a network with a smaller MSE than advection should show you damped
# advection, too. (You have met such a reward before: from 40 minutes on even the mean map, the same
# for every film, has a smaller MSE than advection.)

# %% [markdown]
# ## Sharp again, at a price
#
# What could be done? Another loss is one idea (you find one under *Go further*). A simple way needs
# no training: **probability matching** (after Ebert 2001, who takes the numbers from the members of
# an ensemble). A blurred forecast still knows *where* it rains most, only its numbers are too low
# there. So keep its order, and take the numbers from real rain: the strongest pixel of the forecast
# gets the strongest value of the last frame that was seen, the second strongest the second, and so
# on.
#
# ### Exercise 8: real numbers in the order of the forecast
#
# Write `match_distribution(forecast, rain)` for two arrays `(h, w)`. Return an array `(h, w)`
# that holds the values of `rain` in the order of the forecast: the least where the forecast is
# least, the greatest where it is greatest. Don't change the arguments.
#
# For the forecast `[[5, 9], [1, 2]]` and the rain `[[0, 40], [7, 0]]` it is `[[7, 40], [0, 0]]`:
# the forecast's order is 1, 2, 5, 9, the rain's 0, 0, 7, 40.
#
# <details><summary>Hint</summary>
#
# `np.argsort(forecast, axis=None)` lists the flat places from the least to the greatest. Write
# the sorted rain, `np.sort(rain, axis=None)`, *to* these places of a new flat array; then
# `reshape`.
# </details>


# %% tags=["exercise:match_distribution"]
def match_distribution(forecast, rain):
    """Return the values of `rain` (h, w), placed in the order of the forecast (h, w)."""
    ### BEGIN SOLUTION
    matched = np.empty(np.size(forecast), np.asarray(rain).dtype)
    matched[np.argsort(forecast, axis=None)] = np.sort(rain, axis=None)
    return matched.reshape(np.shape(forecast))
    ### END SOLUTION


# %% tags=["check:match_distribution", "nbval-check-output"]
check.match_distribution(match_distribution)

# %% [markdown]
# `match` does this with each frame of a forecast. `print_table` puts sharpness (as a share of that
# of the truth), MSE and CSI side by side.


# %%
def match(frames):
    """Return forecasts (n, 6, h, w) with the numbers of the last frame that was given."""
    pairs = zip(frames, given[:, -1].astype("float32"), strict=True)
    return np.array([[match_distribution(frame, last) for frame in film] for film, last in pairs])


def print_table(names):
    """Print four scores of forecasts, each 10, 30 and 60 minutes ahead."""
    heads = ["sharpness", "MSE", "CSI, 20 dBZ", "CSI, 35 dBZ"]
    print(f"{'':18}", "  ".join(f"{head:^15}" for head in heads))
    print(f"{'minutes':18}", "  ".join(["   10   30   60"] * 4))
    for name in names:
        rain, leads = forecasts[name], [0, 2, 5]
        share, error = sharpness(rain) / sharpness(truth), mse(truth, rain)
        csi = [scores(truth, rain, threshold)[0][leads] for threshold in (20, 35)]
        parts = ["".join(f"{value:5.2f}" for value in values) for values in (share[leads], *csi)]
        parts.insert(1, "".join(f"{value:5.0f}" for value in error[leads]))
        print(f"{name:18}", "  ".join(parts))


# %% [markdown]
# We match the 3-D CNN's forecasts, and for fairness advection as well. (There is no matched row for
# damped advection: damping keeps the order of the pixels, so matching undoes it.) Look at three
# things: the sharpness, the CSI, and the MSE, which is the price.

# %%
for name in ("advection", "3-D CNN"):
    forecasts[f"{name}, matched"] = match(forecasts[name])
print_table(["damped", "advection", "advection, matched", "3-D CNN", "3-D CNN, matched"])

# %% [markdown]
# The matched forecast of the network is far sharper, and 30 minutes ahead its CSI has at least
# doubled. The price: its MSE is now worse than that of advection at all three lead times. So the
# score decides whether the matched or the blurred forecast is the better one, and **sharp and small
# in MSE can't be had at once** while the future is open. Which to take depends on use. Whoever
# warns wants the cells. (And whoever sums up water should not take the blurred one for its small
# error. dBZ are decibels: the mean of 0 and 40 dBZ is 20 dBZ, and that is far less than half of the
# water that 40 dBZ bring. One would train on millimeters per hour.)
#
# Matching also made advection a little sharper: it repairs what interpolation has smoothed. A
# network has to beat *this* row. The 3-D CNN's matched CSI is below it, 10 and 30 minutes ahead;
# and an hour ahead its frames are nearly as sharp as real rain, with a CSI no better than the poor
# one of advection. Where a forecast is all but flat, its order is mostly chance, and matching makes
# strong rain of this chance.

# %% [markdown]
# ## Give the network what we know
#
# So let the network learn only the rest. Its inputs are the six given frames, the six frames of
# damped advection, and the hills: 13 channels of one picture. It predicts the **change** against
# damped advection. The weights of the last layer begin at zero: before the first step of training
# the network *is* damped advection. As in a U-Net (lab 06), the picture is halved, enlarged again
# (`UpSampling2D`), and joined with the inputs, which have the detail.
#
# NowcastNet (Zhang et al. 2023) is built like this at full scale: it moves the rain on inside the
# network, and learns what is added to it or lost. It and DGMR (Ravuri et al. 2021) get sharp
# forecasts from an adversarial loss; lab 11 tells what that is.


# %%
def stack_inputs(name):
    """Return frames, damped advection and hills as (n, h, w, 13)."""
    films = getattr(radar, name)[:, :GIVEN].astype("float32") / 30
    ground = np.broadcast_to(radar.hills / 1000, (len(films), 1, 32, 32))
    together = np.concatenate([films, damp(moved[name], damping) / 30, ground], axis=1)
    return np.moveaxis(together, 1, -1).astype("float32")


def corrector():
    """Return a network that predicts the change against channels 6 to 11 of its input."""
    inputs = keras.Input((32, 32, 13))
    x = layers.Conv2D(32, 3, 2, padding="same", activation="relu")(inputs)
    for dilation in (1, 2, 4, 1):  # kernels with gaps reach farther
        x = layers.Conv2D(32, 3, padding="same", activation="relu", dilation_rate=dilation)(x)
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    x = layers.Concatenate()([x, inputs])
    x = layers.Conv2D(24, 3, padding="same", activation="relu")(x)
    change = layers.Conv2D(6, 1, kernel_initializer="zeros")(x)
    frames = layers.Add()([inputs[..., 6:12], change])
    return keras.Model(inputs, layers.Permute((3, 1, 2))(frames))


# %% [markdown]
# Training takes 15 to 30 seconds. The network has about a fifth more weights than the others.
# Compare its MSE with that of damped advection, and its CSI, matched, with that of *matched*
# advection.

# %%
keras.utils.set_random_seed(10)
model = corrector()
sets = {name: (stack_inputs(name), pair(getattr(radar, name))[1]) for name in moved}
fit(model, sets["train"], sets["val"], epochs=16)
forecasts["corrected"] = 30 * run(model, sets["test"][0])
forecasts["corrected, matched"] = match(forecasts["corrected"])
print(f"{model.count_params():,} weights")
print_table(["damped", "corrected", "advection", "advection, matched", "corrected, matched"])

# %% [markdown]
# Its MSE is the lowest in this table (the next has all lead times). Has it learned how rain lives,
# or only how to blur better? Damping has one number for a whole frame; a network can smooth as
# well. So here is one more rival without any knowledge: advection **smoothed** with a Gaussian,
# then damped. For each lead time the width that is best on the training films is taken.


# %%
def smooth_and_damp(widths=(0, 0.5, 1, 1.5, 2, 3)):
    """Return the test forecasts of smoothed and damped advection, (n, 6, h, w)."""
    from scipy.ndimage import gaussian_filter

    followed, results = radar.train[:, GIVEN:].astype("float32"), []
    for width in widths:
        train, test = (gaussian_filter(moved[k], (0, 0, width, width)) for k in ("train", "test"))
        damping = fit_damping(train, followed)
        results.append((mse(followed, damp(train, damping)), damp(test, damping)))
    best = np.argmin([error for error, _ in results], axis=0)
    return np.stack([results[k][1][:, step] for step, k in enumerate(best)], axis=1)


# %% [markdown]
# By how many percent does each beat damped advection, at each lead time and in the mean? What the
# upper row gains needs no network.

# %%
forecasts["damped, smoothed"] = smooth_and_damp()
print("MSE below that of damped advection, in percent")
gains = {}
for name in ("damped, smoothed", "corrected"):
    gains[name] = 1 - mse(truth, forecasts[name]) / mse(truth, forecasts["damped"])
    parts = "".join(f"{100 * part:6.1f}" for part in gains[name])
    print(f"{name:18}", parts, f"  mean {100 * gains[name].mean():.1f}")

# %% [markdown]
# Is there a gain at all? The check asks for one percent, in the mean of the lead times.

# %%
check.reached(
    "gain over damped advection, mean of lead times", gains["corrected"].mean(), at_least=0.01
)

# %% [markdown]
# Said plainly:
#
# - In the mean of the lead times the corrected forecast has the lowest MSE of all, a **few
#   percent** below damped advection. Half of that or more is finer blur: smoothing alone gets so
#   far, and an hour ahead about as far as the network. The rest differs from one training to the
#   next. It may be growth and decay, or a wind that turns, or cleaner edges: this table can't tell.
# - In CSI, as it is, it doesn't beat plain advection: it is blurred.
# - Matched, it is about level with advection. Compare it with *matched* advection before you praise
#   the network: a part of what it seems to gain comes from matching. What is left is about 0.01,
#   ten minutes ahead.
# - An hour ahead nothing here has a higher CSI at 20 dBZ than advection, and advection is poor there,
#   too. What these showers do in an hour is hardly written in six frames. (Wide rain can be followed
#   for hours: Germann and Zawadzki 2002.)
#
# Below is one film. The matched frames look like rain again. But look at 60 minutes: are the strong
# cores at the right place?

# %%
plots.show(
    gallery(["truth", "advection", "3-D CNN, matched", "corrected", "corrected, matched"], 51),
    alt="Forecasts 10, 30 and 60 minutes ahead beside the truth. The corrected one is nearly "
    "as detailed as advection at 10 minutes and a pale cloud at 60; matched, it has "
    "strong cores again at all times. The matched 3-D CNN shows grain at 60 minutes.",
)

# %% [markdown]
# They aren't. By then most strong rain of the truth is at the lower edge; the matched forecasts
# have most of theirs farther up, where the old cells would be had they lived on. Sharpness isn't
# knowledge.

# %% [markdown]
# ## Extreme events
#
# 30 dBZ may be a usual afternoon at one place and a rare event at another. So an **extreme** is
# often defined by the local climate: whatever is above the 95th percentile *of this pixel*, the
# value that at most 5 of 100 numbers exceed. That makes a **label cube**, True or False for each
# film, time and place: something to detect, or a target to train for. Heat waves and floods are
# defined like this.
#
# The percentile is computed from data, as are the mean and the deviation for scaling (lab 08). Take
# it from the training films **only**.
#
# ### Exercise 9: label cube
#
# Write `extremes(train, frames, percent)`. `train` is `(m, t, h, w)`, `frames` is `(n, steps, h,
# w)`. Compute the percentile of each pixel over the films and steps of `train`, `(h, w)`. Return
# True where `frames` are **above** it (not equal: at a dry place the percentile is 0), `(n,
# steps, h, w)`.
#
# If a pixel had 0, 10, 20, 30 and 40 in `train`, its percentile 50 is 20; then 20 is not extreme
# and 21 is.
#
# <details><summary>Hint</summary>
#
# `np.percentile(train, percent, axis=(0, 1))` leaves height and width.
# </details>


# %% tags=["exercise:extremes"]
def extremes(train, frames, percent):
    """Return where frames (n, steps, h, w) are above the local percentile of `train`."""
    ### BEGIN SOLUTION
    return frames > np.percentile(train, percent, axis=(0, 1))
    ### END SOLUTION


# %% tags=["check:extremes", "nbval-check-output"]
check.extremes(extremes)

# %% [markdown]
# The local percentile as a map, with the contours of the hills. Where does it take more to be
# extreme?

# %%
from matplotlib.patheffects import withStroke

limit = np.percentile(radar.train, 95, axis=(0, 1)).astype("float32")
figure, axis = plt.subplots(figsize=(5, 3.6))
image = axis.imshow(limit, origin="lower", cmap="viridis_r")
lines = axis.contour(radar.hills, [200, 500, 800], colors="black", linewidths=1)
labels = axis.clabel(lines, fmt="%d m", fontsize=8)
plt.setp(labels, path_effects=[withStroke(linewidth=2, foreground="white")])
axis.set(xlabel="column", ylabel="row")
figure.colorbar(image, ax=axis, label="95th percentile (dBZ)")
plots.show(
    figure,
    alt="Map of the local 95th percentile of reflectivity with contours of the hills. It is "
    "highest along the range and lower in the plains at both sides.",
)
on_hills = radar.hills > 500
high, low = limit[on_hills].mean(), limit[~on_hills].mean()
print(f"local limits: above 500 m {high:.1f} dBZ, elsewhere {low:.1f} dBZ")
everywhere = np.percentile(radar.train, 95)
beyond = (radar.train > everywhere).mean(axis=(0, 1))
high, low = beyond[on_hills].mean(), beyond[~on_hills].mean()
print(f"one limit of {everywhere:.0f} dBZ: extreme above 500 m {high:.1%}, elsewhere {low:.1%}")

# %% [markdown]
# On the hills it rains more, so more is needed for an extreme. One limit for the whole map, the
# second line, would find extremes on the hills more often than in the plains, only because they
# are hills.
#
# And the **leak**? Take the percentile from the test films themselves, and you know something of
# them that no forecaster knows on the day. Compare the share of extremes by either rule, in a dry
# and in a wet half of the test films:

# %%
wetness = radar.test.mean(axis=(1, 2, 3))
print("share of extremes    by train    by the half itself")
for name, half in [("dry", wetness < np.median(wetness)), ("wet", wetness >= np.median(wetness))]:
    part = radar.test[half]
    honest, leaking = (extremes(source, part, 95).mean() for source in (radar.train, part))
    print(f"{name} half             {honest:8.1%}{leaking:14.1%}")

# %% [markdown]
# By its own percentile *every* set has just under five percent of extremes, a wet spell and a dry
# one alike: the rule hides what was special about them. By the climate of the training films they
# differ, as they should.
#
# Now detection, **30 minutes ahead**: observed extremes against those that a forecast shows. Labels
# are scored with the same `scores`: True counts as 1 and False as 0, so the threshold is 0.5.


# %%
def detect(name, offset=0.0):
    """Return CSI, POD and FAR of extremes 30 minutes ahead; `offset` lowers the limit."""
    seen = extremes(radar.train, truth, 95)
    said = forecasts[name] > limit - offset
    return [score[2] for score in scores(seen, said, 0.5)]


# %% [markdown]
# Five forecasts, all with the same limit. Which of them hardly ever shows an extreme?

# %%
print(" " * 20 + "    CSI    POD    FAR")
for name in ("persistence", "advection", "damped", "corrected", "corrected, matched"):
    print(f"{name:20}" + "".join(f"{value:7.2f}" for value in detect(name)))

# %% [markdown]
# The corrected forecast has the lowest MSE of the five, and sees almost no extreme, like the damped
# one: its blurred rain rarely gets that far. But we need not compare it with the limit of the
# *observed* rain. Blurred rain of, say, 18 dBZ may well mean "an extreme is near". So choose
# **another limit for the forecast**, lower by the number of dB that gives the best CSI **on the
# validation films**. To be fair, each forecast may choose its own.

# %%
seen = extremes(radar.train, radar.val[:, GIVEN:], 95)
last = radar.val[:, GIVEN - 1 : GIVEN].astype("float32")
on_val = {
    "persistence": np.repeat(last, 6, axis=1),
    "advection": moved["val"],
    "damped": damp(moved["val"], damping),
    "corrected": 30 * run(model, sets["val"][0]),
}
for name, frames in on_val.items():
    csi = [scores(seen, frames > limit - offset, 0.5)[0][2] for offset in range(25)]
    offset = int(np.argmax(csi))
    print(
        f"{name:12}{offset:2} dB lower" + "".join(f"{value:7.2f}" for value in detect(name, offset))
    )

# %% [markdown]
# With a limit of its own the network detects about as many extremes as advection, and so does
# damped advection with its six numbers: nothing was *lost* in the blur, it had only pushed the
# extremes below the limit. All three are better than persistence, and none is better than the other
# two. About six of ten extremes are missed, and seven of ten alarms are false: 30 minutes are long
# in the life of a strong cell. A warning service would lower the limit further, for a missed flood
# costs more than a false alarm (lab 12).

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - Persistence and advection first. Phase correlation finds the motion, interpolation moves the
#   rain on.
# - CSI, POD and FAR ignore the many dry pixels; give them by threshold and lead time.
# - Pooling over time drops the order of the frames. Frames as channels keep it, though only the first
#   layer sees time. A CNN with an LSTM keeps the order, and squeezes all places into one vector. 3-D
#   convolutions and ConvLSTMs keep both.
# - A squared error asks for the mean of all futures, which is blurred. Damped advection gets the
#   same reward without any knowledge: put it into every table.
# - Probability matching makes a forecast sharp again. It costs MSE, and adds no knowledge.
# - Give a network what is known (motion, hills) and let it learn the rest. The gain is real and
#   small.
# - Extremes are defined by the local climate of the training data alone. A blurred forecast needs
#   a limit of its own, chosen on validation data.
#
# ### Go further
#
# - Give the 3-D CNN more films and more epochs: after `from helpers.data import rain`,
#   `rain.sequences(2000, seed=4).dbz` makes 2000. (Don't use the seeds 1, 2 and 3: they give the
#   films of training, validation and test.) When does it reach damped advection?
# - Does the corrector use the hills? Set them to 0 in its test input.
# - Real winds turn and differ from place to place. Measure one in each quarter of the map.
# - Train the 3-D CNN with the *gradient difference loss* of Mathieu et al. (2016): to the MSE add
#   the mean of | |d true| - |d forecast| |, where d are the differences of neighbors. Does it
#   become sharper? What does it cost?
# - Train the corrector on the label cube, with a sigmoid and the binary cross-entropy. Are its
#   probabilities reliable?
# - Make an *ensemble*: advect with five slightly different winds. Is its mean blurred?
# - Apply the corrector to Sydney (32 rows of it, its 28 columns filled up at the edge; and it has
#   other hills): does it still gain?
#
# ### References
#
# - X. Shi et al. (2015): *Convolutional LSTM network: a machine learning approach for
#   precipitation nowcasting*. NeurIPS.
# - C. Kuglin and D. Hines (1975): *The phase correlation image alignment method*. IEEE Conference
#   on Cybernetics and Society, 163-165.
# - U. Germann and I. Zawadzki (2002): *Scale-dependence of the predictability of precipitation
#   from continental radar images*. Monthly Weather Review 130, 2859-2873.
# - J. Schaefer (1990): *The critical success index as an indicator of warning skill*. Weather and
#   Forecasting 5, 570-575.
# - M. Mathieu, C. Couprie and Y. LeCun (2016): *Deep multi-scale video prediction beyond mean
#   square error*. ICLR.
# - E. Ebert (2001): *Ability of a poor man's ensemble to predict the probability and distribution
#   of precipitation*. Monthly Weather Review 129, 2461-2480.
# - S. Ravuri et al. (2021): *Skilful precipitation nowcasting using deep generative models of
#   radar*. Nature 597, 672-677 (DGMR).
# - Y. Zhang et al. (2023): *Skilful nowcasting of extreme precipitation with NowcastNet*. Nature
#   619, 526-532.
# - C. Wikle, A. Zammit-Mangion and N. Cressie (2019): *Spatio-temporal statistics with R*.
#   Chapman & Hall/CRC (the loop of Sydney).
