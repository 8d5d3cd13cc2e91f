# %% [markdown]
# # Training well
#
# A network learns what its loss asks for, if the training gets there, and that is worth something
# only if it also works on new data. After this lab you will be able to
#
# - choose a loss, and write your own: one that punishes a missed storm more than a false alarm,
# - see on a map of the loss what learning rate, momentum, RMSprop, Adam and the batch size do,
# - say how weights must be initialized so that signals survive a deep network,
# - tell overfitting from the learning curves, and compare five remedies,
# - search for good settings in a fixed time, and touch the test set only once.
#
# You need about three hours. The notebook computes for about three minutes on two CPU cores and
# takes up to 1.3 GB of memory. The data: points and surfaces that the lab makes itself, and 3,000
# of the handwritten digits of MNIST (or of the set that replaces it offline).

# %%
import matplotlib.pyplot as plt
import numpy as np

from helpers import plots, training
from helpers.checks import learning as check

# %% [markdown]
# ## Which loss?
#
# The smallest model there is gives one number $c$ as forecast for everything. Five things are measured:
# 1, 2, 3, 4 and 90. The last one may be a rare event, or a broken instrument. Which $c$ is best? It
# depends on what you count as bad. With the error $e = c - y$, three common losses take the mean of
#
# | loss | of one error | |
# |---|---|---|
# | MSE, L2 | $e^2$ | mean *squared* error |
# | MAE, L1 | $\lvert e \rvert$ | mean *absolute* error |
# | Huber | $e^2 / 2$ if $\lvert e \rvert \le \delta$, else $\delta\,(\lvert e \rvert - \delta / 2)$ | a parabola that goes on as a straight line |
#
# On the left of the next figure are the three losses of one error. Look at how fast each grows. On
# the right are two losses for *two classes*, against the **margin** $m$: the logit of the right
# class minus that of the other, so that a positive margin is a right answer. The **hinge** loss is
# $\max(0, 1 - m)$, the cross-entropy of lab 01 is then $\log(1 + e^{-m})$. Which of the two is zero
# from some margin on?

# %%
error, margin, delta = np.linspace(-3, 3, 301), np.linspace(-3, 4, 301), 1.0
huber = np.where(np.abs(error) <= delta, error**2 / 2, delta * (np.abs(error) - delta / 2))
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
left.plot(error, error**2, color=plots.BLUE)
left.plot(error, np.abs(error), "--", color=plots.VERMILION)
left.plot(error, huber, "-.", color=plots.GREEN)
left.text(1.85, 4.1, "MSE", color=plots.BLUE, ha="right")
left.text(3.05, 3.0, "MAE", color=plots.VERMILION, va="center")
left.text(3.05, 2.4, "Huber, $\\delta = 1$", color=plots.GREEN, va="center")
left.set(xlabel="error $e$", ylabel="loss", ylim=(0, 5))
right.plot(margin, np.log1p(np.exp(-margin)), color=plots.BLUE)
right.plot(margin, np.maximum(0, 1 - margin), "--", color=plots.VERMILION)
right.plot(margin, margin < 0, ":", color=plots.BLACK)
right.text(1.6, 0.35, "cross-entropy", color=plots.BLUE)
right.text(-1.9, 3.2, "hinge", color=plots.VERMILION)
right.text(-2.9, 0.65, "wrong or right")
right.set(xlabel="margin $m$", ylabel="loss", ylim=(0, 5))
plots.show(
    figure,
    alt="Left, against the error: MSE is a parabola, MAE two straight lines, Huber a parabola that "
    "goes on straight. Right, against the margin: hinge falls in a line to zero at margin 1, "
    "cross-entropy falls smoothly and never reaches zero, the count of wrong answers is a step.",
)

# %% [markdown]
# An error of 2 costs the MSE four times as much as an error of 1; MAE grows along a line, and Huber
# does from $\delta$ on. The hinge loss is zero, and so satisfied, from a margin of 1 on. The
# cross-entropy never is: it pushes a right answer on towards more certainty. Keep this in mind, it
# comes back with overfitting. (The step, *wrong or right*, is what we want in the end. It can't be
# trained: it is flat, so its gradient is zero.)
#
# Back to the five measurements. Guess the best $c$ for the MSE and for the MAE. Then let the computer
# try all from 0 to 100, in steps of 0.01, with the losses of Keras and $\delta = 5$.

# %%
import keras

measured = np.array([1.0, 2.0, 3.0, 4.0, 90.0])
candidates = np.linspace(0, 100, 10001)[:, None]
forecasts = np.repeat(candidates, len(measured), axis=1)  # one row for each c
truths = np.broadcast_to(measured, forecasts.shape)

for name, losses in [
    ("MSE  ", keras.losses.mean_squared_error(truths, forecasts)),
    ("MAE  ", keras.losses.mean_absolute_error(truths, forecasts)),
    ("Huber", keras.losses.huber(truths, forecasts, delta=5.0)),
]:
    print(name, "is least at c =", candidates[keras.ops.argmin(losses)][0].round(2))
print("mean", measured.mean(), "  median", np.median(measured))

# %% [markdown]
# The MSE leads to the **mean**, which the 90 draws far away from the other four. The MAE leads to
# the **median**, which doesn't care how far away the 90 is. Huber lies between them, and $\delta$
# says where. So a loss is a decision: is a rare large value what you want to forecast, or dirt?
#
# ### Exercise 1: a storm missed costs more
#
# MSE, MAE and Huber are symmetric: too high is as bad as too low. A storm warning is different: a
# storm that nobody expected does more harm than a night on guard for nothing. Write
# `storm_loss(y_true, y_pred)`, the mean over all samples of
#
# $$w \cdot (y_\text{pred} - y_\text{true})^2 \qquad
# w = \begin{cases} 4 & \text{where the forecast is too weak, } y_\text{pred} < y_\text{true} \\
# 1 & \text{elsewhere} \end{cases}$$
#
# Both inputs are **tensors** (the arrays of Keras; `keras.ops.array([2.0, 2.0])` makes one) of the
# shape `(n, 1)` or `(n,)`, larger is stronger. With `y_true = [2.0, 2.0]` and `y_pred = [1.0, 3.0]`
# the loss is (4 + 1) / 2 = 2.5. Use `keras.ops`: it has the functions of NumPy, but Keras can find
# their gradient.
#
# <details><summary>Hint 1</summary>
#
# `keras.ops.where(condition, a, b)` works like `np.where`: the value `a` where the condition holds.
# Write numbers with a point, 4.0 and 1.0: Keras may refuse to multiply whole numbers by floats.
# </details>
# <details><summary>Hint 2</summary>
#
# First compute the errors, then a weight for each of them, then `keras.ops.mean` of weight times square.
# </details>

# %% tags=["exercise:storm_loss"]
MISS = 4.0  # weight of a forecast that is too weak


def storm_loss(y_true, y_pred):
    """Return the mean squared error with weight MISS where the forecast is too weak."""
    ### BEGIN SOLUTION
    error = y_pred - y_true
    weight = keras.ops.where(error < 0, MISS, 1.0)
    return keras.ops.mean(weight * error**2)
    ### END SOLUTION


# %% tags=["check:storm_loss", "nbval-check-output"]
check.storm_loss(storm_loss)

# %% [markdown]
# Now storms. One number, the *driver*, is known some hours ahead; the *strength* of what comes follows
# it, with a noise that is skewed and grows with the driver: mostly a little, at times a lot. A small
# network forecasts the strength. A strength of 5 or more counts as a storm.


# %%
STORM = 5.0


def make_storms(count, seed):
    """Return drivers and strengths of storms, both (count, 1)."""
    rng = np.random.default_rng(seed)
    driver = rng.uniform(0, 10, size=(count, 1))
    surprise = rng.gamma(1.0, size=(count, 1))
    return driver, 0.4 * driver + (0.1 + 0.15 * driver) * surprise


def train_forecaster(loss, seed):
    """Return a small network trained on 2,000 storms with a loss."""
    keras.utils.set_random_seed(seed)
    hidden = keras.layers.Dense(32, activation="tanh")
    scale = keras.layers.Rescaling(0.2, -1.0)  # 0 ... 10 becomes -1 ... 1
    network = keras.Sequential([keras.Input((1,)), scale, hidden, keras.layers.Dense(1)])
    network.compile(keras.optimizers.Adam(0.02), loss)
    network.fit(*make_storms(2000, seed), batch_size=64, epochs=12, verbose=0)
    return network


# %% [markdown]
# We train it once with the MSE and once with your loss, from the same first weights, and repeat
# this with three seeds. Each pair is judged on 2,000 new cases: how many of the storms among them
# were forecast below 5 (*missed*), and how many forecasts of 5 or more were *false alarms*? It
# takes ten to fifteen seconds. What do you expect of each?

# %%
forecasters = {}
print("seed  loss        storms  missed  false alarms")
for seed in training.track([1, 2, 3]):
    driver, strength = make_storms(2000, seed + 10)
    for name, loss in [("MSE", "mse"), ("storm_loss", storm_loss)]:
        forecasters[name] = train_forecaster(loss, seed)
        warned = keras.ops.convert_to_numpy(forecasters[name](driver)) >= STORM
        storm = strength >= STORM
        missed, false = np.sum(storm & ~warned), np.sum(~storm & warned)
        print(f"{seed:4}  {name:10}  {storm.sum():6}  {missed:6}  {false:12}")

# %% [markdown]
# Fewer storms are missed, and there are more false alarms: that is what we asked for. There is no
# free gain; the loss says which mistake you prefer. The figure shows the last pair, and the new
# cases as gray points. Where do the two forecasts differ most?

# %%
axis_driver = np.linspace(0, 10, 101)[:, None]
figure, axis = plt.subplots()
axis.plot(driver, strength, ".", color="0.75", markersize=3)
axis.hlines(STORM, 0, 10, color=plots.BLACK, linestyle=":")
axis.text(0.1, STORM + 0.15, "a storm from here on")
axis.text(0.1, 7.5, "points: new cases", color="0.4")
for name, color, line in [("MSE", plots.BLUE, "--"), ("storm_loss", plots.VERMILION, "-")]:
    curve = keras.ops.convert_to_numpy(forecasters[name](axis_driver))
    axis.plot(axis_driver, curve, line, color=color)
    axis.text(10.1, curve[-1, 0], name, color=color, va="center")
axis.set(xlabel="driver", ylabel="strength", ylim=(0, 12))
plots.show(
    figure,
    alt="Strength against driver, 2,000 gray points that spread upward more and more. The forecast "
    "trained with storm_loss lies above that trained with MSE, most at large drivers, and "
    "crosses the storm threshold earlier.",
)

# %% [markdown]
# Both rise with the driver. With your loss the forecast is higher, and the more so the larger the noise
# is: where it knows little, it plays safe.
#
# <details><summary>Think: could you add a constant to the MSE forecast instead?</summary>
#
# It would also miss fewer storms. But it would add the same where the noise is small, and there it
# isn't needed. The loss lets the network find out where to be careful.
# </details>
#
# ## Down a surface
#
# Training is a walk downhill. With two weights we can draw the whole landscape. Take a bowl that is ten
# times as curved in one direction as in the other:
#
# $$f(x, y) = (x^2 + 10\,y^2) / 2 \qquad \nabla f = (x,\; 10\,y)$$
#
# The lowest point is at (0, 0). **Gradient descent** starts at some point $w = (x, y)$ and goes,
# again and again, a step against the gradient: $w \leftarrow w - \eta\, \nabla f(w)$. The
# **learning rate** $\eta$ is the length of the step for a gradient of 1.


# %%
def bowl(x, y):
    """Return the height of the bowl; x and y may be numbers or arrays."""
    return (x**2 + 10 * y**2) / 2


def bowl_gradient(w):
    """Return the gradient of the bowl at the point w, both (2,)."""
    return np.array([w[0], 10 * w[1]])


# %% [markdown]
# ### Exercise 2: gradient descent
#
# Write `descend(gradient, start, learning_rate, steps)`. `gradient` is a function like
# `bowl_gradient`, `start` a point `(d,)`. Return the whole **path**, an array `(steps + 1, d)`: the
# start, then the point after each step.
#
# `descend(bowl_gradient, np.array([9.0, 1.0]), 0.1, 1)` is `[[9, 1], [8.1, 0]]`, for the gradient at
# (9, 1) is (9, 10).
#
# <details><summary>Hint 1</summary>
#
# Begin with the list `path = [start]`. `path[-1]` is always the point where you are.
# </details>
# <details><summary>Hint 2</summary>
#
# Append a **new** array in each step: `w = w - ...` makes one, `w -= ...` changes the old one, which
# stands in the list already. At the end: `np.array(path)`.
# </details>


# %% tags=["exercise:descend"]
def descend(gradient, start, learning_rate, steps):
    """Return the path of gradient descent, (steps + 1, d), with the start in the first row."""
    ### BEGIN SOLUTION
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * gradient(path[-1]))
    return np.array(path)
    ### END SOLUTION


# %% tags=["check:descend", "nbval-check-output"]
check.descend(descend)

# %% [markdown]
# An **optimizer** of Keras does such steps, too: `optimizer.apply` takes a list of gradients and a
# list of variables and changes the variables. `follow` lets an optimizer walk over a surface. We
# use it from here on; with `SGD(learning_rate)` it is your `descend`.


# %%
def follow(optimizer, gradient, start, steps):
    """Return the path of a Keras optimizer, (steps + 1, d)."""
    weights = keras.Variable(start, dtype="float32")
    path = [np.array(start)]
    for _ in range(steps):
        slope = keras.ops.convert_to_tensor(gradient(path[-1]), dtype="float32")
        optimizer.apply([slope], [weights])
        path.append(keras.ops.convert_to_numpy(weights).copy())
    return np.array(path)


def draw_path(axis, surface, path, color=plots.BLUE):
    """Draw a path over the contours of a surface, within the limits of the axis."""
    x, y = np.meshgrid(np.linspace(*axis.get_xlim(), 80), np.linspace(*axis.get_ylim(), 80))
    height = surface(x, y)
    levels = np.geomspace(height.max() / 2000, height.max(), 12)
    axis.contour(x, y, height, levels, colors="0.8", linewidths=1)
    axis.plot(*path.T, ".-", color=color, linewidth=1, markersize=3)
    axis.plot(*path[0], "s", color=plots.BLACK)


# %% [markdown]
# ### Exercise 3: which ones explode?
#
# On the bowl each coordinate goes its own way. One step turns $x$ into $x - \eta\,x$, so it
# multiplies $x$ by $1 - \eta$, and $y$ by $1 - 10\,\eta$. If such a factor is larger than 1 *in
# size*, that coordinate grows with every step: the descent **diverges**. Four learning rates are
# tried: 0.01, 0.1, 0.19 and 0.21. Write into `diverging` a list of those that diverge, **before**
# you see the paths.
#
# An example: $\eta = 0.05$ gives the factors 0.95 and 0.5. Both are smaller than 1, so it converges.
#
# <details><summary>Hint</summary>
#
# A factor of -0.5 is smaller than 1 in size: the point jumps to the other side, but comes nearer. From
# which $\eta$ on is $1 - 10\,\eta$ below -1?
# </details>

# %% tags=["exercise:diverging"]
diverging = None
### BEGIN SOLUTION
diverging = [0.21]
### END SOLUTION

# %% [markdown]
# Now the four paths, 40 steps each from the black square. For every path look at two things: does
# it jump from side to side, and how far does it come? On the right, the height after each step, on
# a log scale: where it falls along a straight line, each step takes off the same *share*.

# %%
rates, start = (0.01, 0.1, 0.19, 0.21), (-9.0, 2.0)
colors = (plots.GREEN, plots.BLUE, plots.ORANGE, plots.VERMILION)
paths = {r: follow(keras.optimizers.SGD(r), bowl_gradient, start, 40) for r in rates}
figure, axes = plt.subplot_mosaic([[0.01, 0.1, "h"], [0.19, 0.21, "h"]], figsize=(9, 4.8))
for (rate, path), color in zip(paths.items(), colors, strict=True):
    axes[rate].set(xlim=(-10, 3), ylim=(-4, 4), xlabel="$x$", title=f"learning rate {rate}")
    draw_path(axes[rate], bowl, path, color)
    axes["h"].plot(bowl(*path.T), color=color)
    axes["h"].text(41, bowl(*path[-1]), rate, color=color, va="center")
arrow = {"arrowstyle": "->"}
axes[0.21].annotate("leaves the map", (-1.9, -3.9), (-9.7, -3.4), arrowprops=arrow)
axes[0.01].set_ylabel("$y$")
axes[0.19].set_ylabel("$y$")
axes["h"].set(yscale="log", xlabel="step", ylabel="height $f$")
plots.show(
    figure,
    alt="Four paths on the contours of the bowl. Learning rate 0.01 creeps a third of "
    "the way, 0.1 goes smoothly to the middle, 0.19 jumps from side to side and comes nearer, 0.21 jumps "
    "further each time and leaves the map. Right: the height falls for three and rises for 0.21.",
)

# %% tags=["check:diverging"]
check.diverging(diverging, paths)

# %% [markdown]
# The steepest direction sets the limit: **a learning rate must stay below 2 / (largest
# curvature)**. The curvature is the second derivative, here 1 along $x$ and 10 along $y$, so the
# limit is 2 / 10. The flat direction then sets the pace: at 0.1 there is nothing left of $y$ after
# one step, but $x$ keeps 0.9 of itself. (At 0.19 it is $y$ that keeps 0.9, with changing sign: in
# the end no faster.) The larger the ratio of the curvatures, the slower. Nobody knows the
# curvatures of a network, so one tries rates that differ by factors (0.001, 0.003, 0.01 ...) and
# watches whether the loss explodes.
#
# ## A memory for the direction
#
# ### Exercise 4: momentum
#
# Give the walker a *velocity* $v$, which starts at zero. In each step it keeps the share $\mu$ of
# itself; $\mu$ is called the **momentum**:
#
# $$v \leftarrow \mu\, v - \eta\, \nabla f(w) \qquad w \leftarrow w + v$$
#
# What points to the left now and to the right in the next step cancels out in $v$; what always
# points the same way adds up. Write
# `descend_with_momentum(gradient, start, learning_rate, momentum, steps)`. It returns a path
# `(steps + 1, d)`, as `descend` does.
#
# On the bowl from (9, 1), with $\eta = 0.1$ and $\mu = 0.5$, the first velocity is (-0.9, -1) and
# leads to (8.1, 0). The second is 0.5 * (-0.9, -1) - 0.1 * (8.1, 0) = (-1.26, -0.5) and leads to
# (6.84, -0.5).
#
# <details><summary>Hint 1</summary>
#
# Take your `descend` and add a velocity: it begins as `np.zeros_like(start)`.
# </details>
# <details><summary>Hint 2</summary>
#
# In each step: the gradient at the last point of the path, then the new velocity, then the new point,
# with the **new** velocity.
# </details>


# %% tags=["exercise:descend_with_momentum"]
def descend_with_momentum(gradient, start, learning_rate, momentum, steps):
    """Return the path of gradient descent with momentum, (steps + 1, d)."""
    ### BEGIN SOLUTION
    path, velocity = [start], np.zeros(len(start))
    for _ in range(steps):
        velocity = momentum * velocity - learning_rate * gradient(path[-1])
        path.append(path[-1] + velocity)
    return np.array(path)
    ### END SOLUTION


# %% tags=["check:descend_with_momentum:2", "nbval-check-output"]
check.descend_with_momentum(descend_with_momentum)

# %% [markdown]
# In Keras this is `SGD(learning_rate, momentum=0.9)`. Two other optimizers give **every weight a
# step of its own size**:
#
# - **RMSprop** keeps for each weight a running mean $s$ of its squared gradient $g^2$, and divides:
#   the step is $\eta\, g / \sqrt{s}$. So a step is about $\eta$ long, whether the slope is steep or
#   flat.
# - **Adam** (Kingma and Ba 2015) divides in the same way, and has a momentum too: in place of $g$
#   stands a running mean of $g$. It also corrects both means in the first steps, when they have
#   seen little.
#
# To compare them we need something harder than a bowl: a curved valley, like Rosenbrock's (1960). Its
# lowest point is (1, 1), the start is (-1.2, 1.8).


# %%
def valley(x, y):
    """Return the height of a curved valley."""
    return (1 - x) ** 2 + 10 * (y - x**2) ** 2


def valley_gradient(w):
    """Return the gradient of the valley at the point w, both (2,)."""
    x, y = w
    return np.array([-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)])


def steps_needed(heights, tolerance=0.05):
    """Return the number of steps until the height is below the tolerance, or infinity."""
    below = np.flatnonzero(heights < tolerance)
    return float(below[0]) if len(below) else np.inf


# %% [markdown]
# Be fair: a learning rate that suits one optimizer is wrong for another. So each may try the same
# five, 300 steps each, and shows its best: the one that needs the fewest steps to a height below
# 0.05. (Some rates explode; the line `errstate` only silences the warnings about infinite numbers.)
# This takes about twenty seconds.

# %%
makers = {
    "SGD": keras.optimizers.SGD,
    "momentum 0.9": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
    "RMSprop": keras.optimizers.RMSprop,
    "Adam": keras.optimizers.Adam,
}
best = {}
for name, make in training.track(makers.items()):
    for rate in (0.003, 0.01, 0.03, 0.1, 0.3):
        with np.errstate(over="ignore", invalid="ignore"):
            path = follow(make(rate), valley_gradient, (-1.2, 1.8), 300)
            needed = steps_needed(valley(*path.T))
        if name not in best or needed < best[name][0]:
            best[name] = (needed, rate, path)
    print(f"{name:12}  best rate {best[name][1]:5}  steps needed {best[name][0]:4.0f}")

# %% [markdown]
# Now the paths of these four. Who is slow on the floor of the valley, who swings or jitters?

# %%
figure, axes = plt.subplots(2, 2, figsize=(8, 5.4), sharex=True, sharey=True)
for axis, (name, (needed, rate, path)) in zip(axes.flat, best.items(), strict=True):
    axis.set(xlim=(-2, 2), ylim=(-1, 3), title=f"{name}, rate {rate}: {needed:.0f} steps")
    draw_path(axis, valley, path)
    axis.plot(1, 1, "*", color=plots.VERMILION, markersize=12, fillstyle="none")
figure.supxlabel("$x$")
figure.supylabel("$y$")
plots.show(
    figure,
    alt="Paths of four optimizers in a curved valley, from a black square to a red star. SGD "
    "creeps along the floor, momentum swings around the bend, RMSprop follows the floor and "
    "jitters at its end, Adam overshoots at first and then runs to the star.",
)

# %% [markdown]
# All four find the floor of the valley; what costs time is to walk along it, where the slope is small.
#
# - **SGD** can't use a larger rate, because of the steep walls, and creeps along the floor.
# - **Momentum** adds up the small steps along the floor, and swings at the bends. Here it is the
#   fastest.
# - **RMSprop** takes steps of about the same length everywhere, so it isn't slow on the floor. But
#   at the goal the steps don't get smaller either: it jitters.
# - **Adam** has both ideas: it overshoots at first, as momentum does, and isn't slow on the floor.
#
# Another surface or start gives another order, so no optimizer is always the best. For networks
# Adam with a learning rate of 0.001 is a good first try, because its steps depend little on how the
# loss is scaled. And where a method jitters at the goal, a rate that falls towards the end helps.
#
# ## How many examples a step?
#
# So far the gradient was exact. A network sees a **mini-batch**: the mean gradient of a few
# examples, which is only an estimate. How good is it, and what does it cost? We fit a line
# $w_0 + w_1 x$ to 1,024 points, by the MSE. Three functions first: the gradient, a training that
# keeps its path, and the height of the surface.


# %%
def line_gradient(w, x, y):
    """Return the gradient of the mean squared error of the line w[0] + w[1] x."""
    error = w[0] + w[1] * x - y
    return 2 * np.array([np.mean(error), np.mean(error * x)])


def train_line(batch, epochs, learning_rate, rng):
    """Return the path of mini-batch gradient descent on the line, (steps + 1, 2)."""
    path = [np.zeros(2)]
    for _ in range(epochs):
        order = rng.permutation(len(x_line))
        for pick in np.split(order, len(order) // batch):
            slope = line_gradient(path[-1], x_line[pick], y_line[pick])
            path.append(path[-1] - learning_rate * slope)
    return np.array(path)


def line_loss(w0, w1):
    """Return how far the MSE lies above its least value; w0 and w1 may be arrays."""
    columns = np.stack([np.ones_like(x_line), x_line])
    w0_best, w1_best = np.linalg.lstsq(columns.T, y_line)[0]
    (a, b), (_, d) = columns @ columns.T / len(x_line)
    u, v = w0 - w0_best, w1 - w1_best
    return a * u**2 + 2 * b * u * v + d * v**2


# %% [markdown]
# The first experiment: stay at the start, (0, 0), draw 1,000 random batches of each size, and look
# how much the slope along $w_0$ scatters (its standard deviation). What does the last column say?

# %%
rng = np.random.default_rng(2)
x_line = rng.uniform(-1, 1, size=1024)
y_line = 1 + 2 * x_line + rng.normal(scale=0.8, size=1024)
print("batch  scatter  scatter x sqrt(batch)")
for batch in (1, 4, 16, 64, 256):
    picks = rng.integers(1024, size=(1000, batch))
    slopes = [line_gradient((0, 0), x_line[pick], y_line[pick])[0] for pick in picks]
    print(f"{batch:5}  {np.std(slopes):7.3f}  {np.std(slopes) * np.sqrt(batch):12.2f}")

# %% [markdown]
# The last column hardly changes: **the noise falls with the square root of the batch size**. Four times
# the work buys half the noise. That is a bad bargain, and a reason for small batches.
#
# Now train: batches of 1, 16 and all 1,024, four **epochs** each (an epoch uses every example
# once), the same learning rate. Who moves furthest, and who arrives most quietly?

# %%
import time

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True)
print("batch  updates per epoch  seconds per epoch  loss above the least, last epoch")
for axis, batch in zip(axes, (1, 16, 1024), strict=True):
    began = time.perf_counter()
    path = train_line(batch, epochs=4, learning_rate=0.05, rng=np.random.default_rng(2))
    seconds, updates = (time.perf_counter() - began) / 4, len(path) // 4
    axis.set(xlim=(-0.3, 1.7), ylim=(-0.3, 2.9), title=f"batch {batch}", xlabel="$w_0$")
    draw_path(axis, line_loss, path)
    mean = np.mean(line_loss(*path[-updates:].T))
    print(f"{batch:5}  {updates:17}  {seconds:17.4f}  {mean:32.4f}")
axes[0].set_ylabel("$w_1$")
plots.show(
    figure,
    alt="Three paths over the contours of the loss, from (0, 0). With batch 1 the path reaches the "
    "minimum and staggers around it, with batch 16 it goes there with little noise, with all "
    "examples it is smooth but takes only four steps and stays far away.",
)

# %% [markdown]
# With batch 1 the path arrives early and then staggers around the minimum, for each example pulls
# in its own direction. With all examples the path is straight, but four epochs are only four steps.
# Batch 16 arrives, and is quiet. An epoch also takes longer with small batches, because each update
# has a fixed cost: a computer multiplies one large matrix faster than many small ones. So batches
# of 16 to 256 are a usual compromise. With a smaller learning rate the staggering gets smaller,
# too.
#
# ## The first weights
#
# Training starts from random weights. How large should they be? Send 500 random inputs (mean 0,
# standard deviation 1) through eight layers of 256 **units** (another word for neurons), untrained,
# and look at what comes out of each. A weighted sum of 256 such numbers has 256 times the variance
# of a weight. So weights with a standard deviation of 1 make each sum about 16 times as large as
# its inputs. Two rules, named after their authors, undo this:
#
# | rule | variance of a weight | here | made for |
# |---|---|---|---|
# | Glorot | 2 / (inputs + outputs) | 1 / 256 | tanh, sigmoid |
# | He | 2 / inputs | 2 / 256 | ReLU, which throws one half away |


# %%
def layer_outputs(activation, initializer, layers=8, units=256):
    """Return the activations of each layer of an untrained network, (layers, 500, units)."""
    rng = np.random.default_rng(2)
    h, outputs = rng.normal(size=(500, units)), []
    # An initializer with a seed gives the same matrix each time: each column is shuffled anew.
    for _ in range(layers):
        weights = keras.ops.convert_to_numpy(initializer((units, units)))
        h = activation(h @ rng.permuted(weights, axis=0))
        outputs.append(h)
    return np.array(outputs)


# %% [markdown]
# First the size of the signal, as the root of the mean square, in layers 1, 4 and 8; the inputs have 1.
# In which row of the ReLU does it stay? And which tanh is stuck at its ends?

# %%
activations = {"tanh": np.tanh, "ReLU": lambda a: np.maximum(a, 0)}
initializers = {
    "zeros": keras.initializers.Zeros(),
    "too large (std 1)": keras.initializers.RandomNormal(stddev=1.0, seed=2),
    "Glorot": keras.initializers.GlorotNormal(seed=2),
    "He": keras.initializers.HeNormal(seed=2),
}
outputs = {}
for activation, g in activations.items():
    for name, initializer in initializers.items():
        h = outputs[activation, name] = layer_outputs(g, initializer)
        sizes = "  ".join(f"{np.sqrt(np.mean(h[layer - 1] ** 2)):9.3g}" for layer in (1, 4, 8))
        stuck = f"   beyond +-0.99: {np.mean(np.abs(h[-1]) > 0.99):4.0%}"
        print(f"{activation:4}  {name:17}  {sizes}", stuck if activation == "tanh" else "")

# %% [markdown]
# Now the whole distributions, layer by layer; a shape is wide where many activations lie. The lower
# row has a **log scale**, because the sizes differ by many powers of ten. Zero has no place on it,
# so the zeros of the ReLU (half of the numbers) are left out there. Which shapes die out, explode,
# or stick to -1 and 1?

# %%
rng = np.random.default_rng(2)
figure, axes = plt.subplots(2, 4, figsize=(9.5, 4.8), sharex=True, sharey="row")
for axis, ((activation, name), by_layer) in zip(axes.flat, outputs.items(), strict=True):
    axis.set_title(f"{activation}, {name}", fontsize=10)
    if not by_layer.any():
        axis.text(4.5, 0, "all are zero", ha="center", va="center")
        continue
    samples = [rng.choice(h[h != 0], 2000) for h in by_layer]
    if activation == "ReLU":
        samples = np.log10(samples)
    color = plots.BLUE if activation == "tanh" else plots.VERMILION
    for body in axis.violinplot(list(samples), widths=0.9, showextrema=False)["bodies"]:
        body.set(facecolor=color, alpha=0.8)
axes[0, 0].set(ylabel="activation", xticks=range(1, 9))
axes[1, 0].set_ylabel("activation, power of ten")
figure.supxlabel("layer")
plots.show(
    figure,
    alt="Distributions of activations in eight layers. Tanh: nothing with zeros, all near -1 and 1 "
    "with std 1, bell shapes that narrow slowly with Glorot, wider ones with He. ReLU: nothing "
    "with zeros, growth by eight powers of ten with std 1, a slow fall with Glorot, level with He.",
)

# %% [markdown]
# With weights that are too large the tanh sticks to -1 and 1, where it is flat and no gradient
# comes back; the ReLU explodes. For the ReLU He's rule is exact: with Glorot's it loses half of the
# mean square in each layer, and the factor of 2 restores it. The tanh is less delicate, since it
# can't explode: Glorot's rule lets the signal fade slowly, He's keeps it larger and nearer to the
# ends. Neither dies out in eight layers.
#
# <details><summary>Think: how much is left after 50 ReLU layers with Glorot's rule?</summary>
#
# Each layer divides the standard deviation by the square root of 2, so 50 layers divide it by 2 to
# the power of 25: more than 30 million. Next to nothing is left of the signal, and of the
# gradients.
# </details>
#
# And why not start with zeros, or with all weights equal? Let three small networks learn a wave,
# each with four hidden units, and look at the four weights of the first layer afterwards. It takes
# a few seconds.

# %%
keras.utils.set_random_seed(2)
x = np.random.default_rng(2).uniform(0, 10, size=(2000, 1))
for name, initializer in [
    ("zeros", keras.initializers.Zeros()),
    ("all 0.5", keras.initializers.Constant(0.5)),
    ("Glorot", keras.initializers.GlorotUniform(seed=2)),
]:
    hidden = keras.layers.Dense(4, activation="tanh", kernel_initializer=initializer)
    output = keras.layers.Dense(1, kernel_initializer=initializer)
    scale = keras.layers.Rescaling(0.2, -1.0)
    network = keras.Sequential([keras.Input((1,)), scale, hidden, output])
    network.compile(keras.optimizers.Adam(0.05), "mse")
    loss = network.fit(x, np.sin(x), batch_size=64, epochs=10, verbose=0).history["loss"][-1]
    print(f"{name:8}  weights {hidden.get_weights()[0][0].round(3)}  loss {loss:.2f}")

# %% [markdown]
# From zeros, no weight has moved: each gradient contains a factor that is zero, the weights of the
# other layer or the activations. Only the last bias learns. From equal weights the units **stay
# equal**: they get the same gradient in every step, so four units do the work of one, and one can't
# follow a wave. Random weights break this symmetry. That is all they are for, and Glorot and He say
# how large they may be.
#
# ## Learned or learned by heart?
#
# On to digits, and to the question that matters: does it work on *new* data? We split the data into
# three:
#
# - the **training set**, 1,000 digits. The optimizer sees them.
# - the **validation set**, 2,000 digits. *We* look at them, to choose networks, settings, the epoch.
# - the **test set**. Nobody looks at it until everything is chosen: whatever you choose by, you can't
#   trust any more as an honest estimate.
#
# Real labels contain mistakes, and we make that visible: a fifth of the **training** labels is
# replaced by random digits. (One in ten of those is right by chance, so a little less than a fifth
# is wrong.) The labels for validation and test are right. (Few training digits and many wrong
# labels make overfitting easy to see. And the validation set is seldom larger than the training
# set; here it is, to make our comparisons less noisy.)

# %%
from helpers import data

digits = data.mnist()
rng = np.random.default_rng(2)
order = rng.permutation(len(digits.x_train))
train, valid = order[:1000], order[1000:3000]
x_train, y_train = digits.x_train[train][..., None], digits.y_train[train]
x_valid, y_valid = digits.x_train[valid][..., None], digits.y_train[valid]
y_right = y_train
y_train = np.where(rng.random(1000) < 0.2, rng.integers(0, 10, 1000), y_right)
print(x_train.shape, x_valid.shape, f"wrong training labels: {np.mean(y_train != y_right):.1%}")

# %% [markdown]
# All networks from here on are MLPs. `build` leaves room for the remedies that come later; `fit` trains
# for 30 epochs with Adam and returns the history. The cross-entropy appears twice, as loss and as a
# metric: the loss will soon contain more than that.

# %%
layers = keras.layers


def build(units=256, hidden_layers=2, penalty=None, dropout=0.0, augmentation=()):
    """Return an MLP for 28 x 28 digits with the remedies asked for."""
    parts = [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), *augmentation, layers.Flatten()]
    settings = {"kernel_initializer": "he_normal", "kernel_regularizer": penalty}
    for _ in range(hidden_layers):
        parts.append(layers.Dense(units, activation="relu", **settings))
        parts.append(layers.Dropout(dropout))
    return keras.Sequential([*parts, layers.Dense(10, activation="softmax")])


def fit(network, learning_rate, callbacks=()):
    """Train a network for 30 epochs and return its history, a dictionary of lists."""
    loss = "sparse_categorical_crossentropy"
    optimizer = keras.optimizers.Adam(learning_rate)
    network.compile(optimizer, loss, metrics=["accuracy", loss])
    return network.fit(
        x_train,
        y_train,
        batch_size=50,
        epochs=30,
        validation_data=(x_valid, y_valid),
        validation_batch_size=500,
        verbose=0,
        callbacks=callbacks,
    ).history


# %% [markdown]
# Two networks are trained, one with two hidden layers of 256 units, one with a single hidden layer
# of 16. A coin decides which of them is called A and which B. The small one has a lower learning
# rate, so that its curves are smooth. It takes ten to fifteen seconds.

# %%
keras.utils.set_random_seed(2)
letters = [str(letter) for letter in np.random.default_rng(7).permutation(["A", "B"])]
histories = {
    letters[0]: fit(build(256), 0.002, training.progress()),
    letters[1]: fit(build(16, hidden_layers=1), 0.0005, training.progress()),
}

figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True)
for axis, letter in zip(axes, "AB", strict=True):
    plots.learning_curves(histories[letter], metric="loss", axis=axis)
    axis.set(title=letter, ylim=(0, 2.4), xlim=(0, 31))
plots.show(
    figure,
    alt="Loss by epoch for networks A and B. In one panel both curves fall to the end, training "
    "above validation. In the other the training loss falls to zero, while the validation loss "
    "falls at first and then rises again.",
)

# %% [markdown]
# ### Exercise 5: read the curves
#
# Look at both panels and write down
#
# - `overfits`: `"A"` or `"B"`, the network that overfits: it goes on learning its training digits,
#   while it gets *worse* on digits that it doesn't know,
# - `stop_after`: after how many epochs you would have stopped that one. Read it from the figure;
#   you needn't hit it exactly: a validation loss within 6 % of the lowest will do. The first epoch
#   is number 1.
#
# An example: with validation losses of 0.9, 0.6, 0.5, 0.7 you would have stopped after epoch 3.
#
# <details><summary>Hint</summary>
#
# A gap between the curves alone isn't the point, nor is a high loss. Where does the validation curve turn?
# </details>

# %% tags=["exercise:overfitting"]
overfits = None
stop_after = None
### BEGIN SOLUTION
overfits = letters[0]
stop_after = int(np.argmin(histories[overfits]["val_loss"])) + 1
### END SOLUTION

# %% tags=["check:overfitting"]
check.overfitting(overfits, stop_after, histories["A"], histories["B"])

# %% [markdown]
# Now the names, and for both networks the loss and the accuracy on the validation digits: at the epoch
# with the lowest loss, and at the end. Does the accuracy tell the same story as the loss?

# %%
for letter, name in zip(letters, ["two layers of 256", "one layer of 16"], strict=True):
    history = histories[letter]
    best_epoch = int(np.argmin(history["val_loss"]))
    print(f"{letter}, {name}")
    for text, epoch in [("best", best_epoch), ("last", len(history["loss"]) - 1)]:
        loss, accuracy = history["val_loss"][epoch], history["val_accuracy"][epoch]
        print(f"   {text} epoch {epoch + 1:3}: loss {loss:.3f}, accuracy {accuracy:.1%}")

# %% [markdown]
# The large network has more than two hundred thousand weights for 1,000 digits. It learns them by
# heart, the wrong labels too, and then answers new digits by what it learned from these. Its loss
# rises clearly, while its accuracy changes much less: the cross-entropy is never satisfied, so the
# network makes its answers ever more **certain**, even those that are wrong. Whoever needs
# probabilities (is it a storm with 80 %?) is hurt most.
#
# The small network can't learn so much by heart, and its validation loss falls to the end. It can't
# learn fine details either: too small a network *underfits*.
#
# <details><summary>Think: why does the small network do better on the validation digits than in training?</summary>
#
# Its loss is lower there because the validation labels are right, and a part of the training labels
# is not. Nobody can foresee a random label.
# </details>
#
# ## Remedies
#
# | remedy | idea |
# |---|---|
# | L2 | add `strength` times the sum of all squared weights to the loss: no weight may be large without need |
# | L1 | the same with absolute values: drives many weights to zero |
# | dropout | in each training step hide a random part of the units: none may rely on another |
# | augmentation | shift and turn the training digits at random: new data for free |
# | early stopping | stop when the validation loss doesn't improve any more |
#
# ### Exercise 6: the L2 penalty
#
# Write `l2_penalty(kernels, strength)`. `kernels` is a list of arrays, the weight matrices of the
# layers (Keras calls them kernels). Return two things: the **penalty**, one number, and the list of
# its **gradients**, one array for each kernel, of the same shape. The penalty is as Keras defines
# it: `strength` times the sum of the squares of all weights of all kernels.
#
# With `kernels = [np.array([[1.0, -2.0]]), np.array([[3.0]])]` and `strength = 0.1` the squares add
# up to 14, so the penalty is 1.4. The gradients are `[[[0.2, -0.4]], [[0.6]]]`.
#
# <details><summary>Hint 1</summary>
#
# With $\lambda$ for the strength: the derivative of $\lambda w^2$ is $2 \lambda w$, for each weight
# on its own.
# </details>
# <details><summary>Hint 2</summary>
#
# `sum(np.sum(k**2) for k in kernels)` goes over all kernels.
# </details>


# %% tags=["exercise:l2_penalty"]
def l2_penalty(kernels, strength):
    """Return the L2 penalty of a list of kernels and the list of its gradients."""
    ### BEGIN SOLUTION
    penalty = strength * sum(np.sum(kernel**2) for kernel in kernels)
    return penalty, [2 * strength * kernel for kernel in kernels]
    ### END SOLUTION


# %% tags=["check:l2_penalty", "nbval-check-output"]
check.l2_penalty(l2_penalty)

# %% [markdown]
# The gradient is a multiple of the weight itself: a step against it shrinks every weight by the
# same share, hence the name *weight decay*. In Keras a layer gets
# `kernel_regularizer=keras.regularizers.L2(0.1)`, or `L1(0.1)` for absolute values, and adds its
# penalty to the loss by itself.
#
# ### Exercise 7: early stopping with patience
#
# A validation loss is noisy: one bad epoch is no reason to stop. So we have **patience**, and we
# keep the weights of the best epoch. Keras can call an object of yours, a **callback**, after every
# epoch; the network is its `self.model`. Write two of its methods:
#
# - `on_epoch_end(epoch, logs)`: `logs["val_loss"]` is this epoch's validation loss. If it is
#   **lower than the best so far**, remember it and the weights (`self.model.get_weights()`, which
#   gives copies), and begin to wait anew. If not, we have waited one epoch more. After `patience`
#   such epochs in a row, set `self.model.stop_training = True`.
# - `on_train_end(logs)`: give the model its best weights back with `self.model.set_weights(...)`,
#   whether it was stopped or ran to the end.
#
# With a patience of 2 and the losses 5, 4, 4.5, 3, 3.2, 3.1 training stops after the sixth epoch,
# and the weights are those of the fourth.
#
# <details><summary>Hint 1</summary>
#
# Three things are stored on `self` already. Which of them change when the loss is lower, which when not?
# </details>
# <details><summary>Hint 2</summary>
#
# `if loss < self.best_loss:` ... set all three. `else:` ... add one to `self.waited`, and compare it with
# `self.patience`.
# </details>


# %% tags=["exercise:early_stopping"]
class EarlyStopping(keras.callbacks.Callback):
    """Stop when the validation loss stays above its best; restore the best weights."""

    def __init__(self, patience):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.best_loss = np.inf
        self.best_weights = None
        self.waited = 0

    def on_epoch_end(self, epoch, logs=None):
        ### BEGIN SOLUTION
        if logs["val_loss"] < self.best_loss:
            self.best_loss = logs["val_loss"]
            self.best_weights = self.model.get_weights()
            self.waited = 0
        else:
            self.waited += 1
            if self.waited >= self.patience:
                self.model.stop_training = True
        ### END SOLUTION

    def on_train_end(self, logs=None):
        ### BEGIN SOLUTION
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
        ### END SOLUTION


# %% tags=["check:early_stopping:2", "nbval-check-output"]
check.early_stopping(EarlyStopping)

# %% [markdown]
# Keras has it as `keras.callbacks.EarlyStopping(patience=..., restore_best_weights=True)`. (Your
# own does the same: put it in its place below, if you like.)
#
# For augmentation there are layers that work only while training. Here is one digit ten times: as
# it is, then shifted by up to a tenth of the picture and turned by up to 15 degrees. Can you still
# read all of them?

# %%
augmentation = [
    layers.RandomTranslation(0.1, 0.1, fill_mode="constant", seed=2),
    layers.RandomRotation(15 / 360, fill_mode="constant", seed=3),
]
varied = np.repeat(x_train[:1], 9, axis=0).astype("float32")
for layer in augmentation:
    varied = layer(varied, training=True)
varied = keras.ops.convert_to_numpy(varied)[..., 0]
plots.show(
    plots.images([x_train[0, :, :, 0], *varied.astype("uint8")]),
    alt="One handwritten digit, and nine copies of it that are a little shifted and turned.",
)

# %% [markdown]
# A good augmentation changes the picture as the world might change it, and never the answer: turned by
# 180 degrees a 6 would be a 9.
#
# Now all of them: the same network (two layers of 256), at most 30 epochs, one remedy each. The
# learning rate falls along a cosine to zero, as in lab 01, so that every training ends calmly. It
# takes about a minute. Which one closes the gap between training and validation? Which one does
# best on the validation digits? They aren't the same question.

# %%
remedies = {
    "none": {},
    "L1": {"penalty": keras.regularizers.L1(0.001)},
    "L2": {"penalty": keras.regularizers.L2(0.01)},
    "dropout": {"dropout": 0.5},
    "early stopping": {},
    "augmentation": {"augmentation": augmentation},
}
falling = keras.optimizers.schedules.CosineDecay(0.002, decay_steps=30 * 1000 // 50)
results = {}
for name, settings in training.track(remedies.items()):
    keras.utils.set_random_seed(2)
    stopping = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    network = build(**settings)
    history = fit(network, falling, [stopping] if name == "early stopping" else [])
    learned = network.evaluate(x_train, y_train, batch_size=500, verbose=0)
    validated = network.evaluate(x_valid, y_valid, batch_size=500, verbose=0)
    results[name] = (learned[1], validated[1], validated[2], len(history["loss"]))

# %% [markdown]
# The figure shows the accuracy. The table adds the validation cross-entropy, *without* the
# penalties of L1 and L2: otherwise their loss would not be comparable with the others'.

# %%
print("remedy          training  validation    gap  cross-entropy  epochs")
figure, axis = plt.subplots(figsize=(7, 3.2))
for row, (name, (learned, validated, entropy, epochs)) in enumerate(results.items()):
    gap = learned - validated
    print(f"{name:14}  {learned:8.1%}  {validated:10.1%}  {gap:5.1%}  {entropy:13.3f}  {epochs:6}")
    axis.plot([validated, learned], [row, row], color="0.7", zorder=1)
    axis.plot(validated, row, "D", color=plots.ORANGE, markersize=7)
    axis.plot(learned, row, "o", color=plots.BLUE, markersize=7)
axis.text(results["none"][1], -0.45, "validation", color=plots.ORANGE, ha="center")
axis.text(results["none"][0], -0.45, "training", color=plots.BLUE, ha="center")
axis.set_yticks(range(len(results)), results)
axis.set(xlabel="accuracy", ylim=(len(results) - 0.5, -0.9), xmargin=0.1)
plots.show(
    figure,
    alt="For each remedy the accuracy in training and in validation, joined by a line. Without a "
    "remedy the training accuracy is nearly 1 and the gap is the widest. With augmentation the "
    "validation accuracy is the best, and even above the training accuracy.",
)

# %% [markdown]
# The round blue points first: training accuracy is measured against the labels as they are, wrong
# ones included. Without a remedy the network gets nearly all of them "right", which is bad: the
# wrong labels (their share was printed when we split the data) can't be learned from the pictures,
# only by heart.
#
# **Augmentation** helps most: it never shows the same picture twice, so there is nothing to learn
# by heart, and it adds knowledge, what a digit may look like. (It does better in validation than in
# training, because the validation labels are right.) **Dropout** was second when we ran it. The
# penalties and early stopping lowered the cross-entropy, too, and changed the accuracy by little;
# but early stopping gets there in fewer epochs, so it is the cheapest. Another seed moves each
# accuracy a little: don't read much into small differences.
#
# ## A search with a clock
#
# How do you find a good learning rate, batch size and width? No gradient finds such settings, which
# are called **hyperparameters**. You try. A *grid* tries all combinations of a few values; a
# **random search** draws each setting anew. To be fair, both get the same number of **seconds**,
# not of trials: time is what you pay for.
#
# ### Exercise 8: draw a setting
#
# Write `draw_settings(rng)`. It returns a dictionary with
#
# - `"learning_rate"`: a number between 0.0001 and 0.1, **log-uniform**: each power of ten is as
#   likely as the next, so a third of the draws lies between 0.0001 and 0.001, a third between 0.001
#   and 0.01, ...
# - `"batch_size"` and `"units"`: each one of 16, 32, 64, 128, all equally likely, and drawn
#   independently of each other.
#
# `rng` is a generator of NumPy, like `np.random.default_rng(2)`; draw everything from it. A result
# could be `{"learning_rate": 0.0042, "batch_size": 64, "units": 16}`.
#
# <details><summary>Hint 1</summary>
#
# Don't draw the learning rate, draw its exponent: `rng.uniform(a, b)` gives a number between a and b.
# </details>
# <details><summary>Hint 2</summary>
#
# `rng.choice([16, 32, 64, 128])` draws one. 0.0001 is ten to the power of -4.
# </details>


# %% tags=["exercise:draw_settings"]
def draw_settings(rng):
    """Return a random setting: learning_rate (log-uniform), batch_size and units."""
    ### BEGIN SOLUTION
    return {
        "learning_rate": 10 ** rng.uniform(-4, -1),
        "batch_size": int(rng.choice([16, 32, 64, 128])),
        "units": int(rng.choice([16, 32, 64, 128])),
    }
    ### END SOLUTION


# %% tags=["check:draw_settings", "nbval-check-output"]
check.draw_settings(draw_settings)

# %% [markdown]
# One **trial** trains one hidden layer for six epochs and tells which of the 2,000 validation
# digits it gets right. It costs a second or two on two cores. The search looks at the clock
# *before* each trial, so the last one may end a little late; a trial cut off in the middle would
# tell nothing. (At least four trials are made, whatever the clock says.) Its bar counts trials, and
# stops where the time is up.


# %%
def try_setting(learning_rate, batch_size, units):
    """Return which validation digits a network with this setting gets right, (2000,) of bool."""
    keras.utils.set_random_seed(2)
    network = build(int(units), hidden_layers=1)  # Keras refuses the whole numbers of NumPy
    optimizer = keras.optimizers.Adam(learning_rate)
    network.compile(optimizer, "sparse_categorical_crossentropy")
    network.fit(x_train, y_train, int(batch_size), epochs=6, verbose=0)
    probabilities = keras.ops.convert_to_numpy(network(x_valid))
    return probabilities.argmax(axis=-1) == y_valid


def search(settings, seconds):
    """Try settings in turn while time is left; return a list of (setting, right answers)."""
    began, trials = time.perf_counter(), []
    for setting in training.track(settings):
        if len(trials) >= 4 and time.perf_counter() - began > seconds:
            break
        trials.append((setting, try_setting(**setting)))
    return trials


# %% [markdown]
# The grid has three values for each, so 27 settings, in random order, since the time may not
# suffice for all. Its learning rates are the middles, on the log scale, of the three ranges in
# exercise 8. The random search draws 27 settings. Each search has 12 seconds. How many different
# learning rates will each have seen?

# %%
from itertools import product

BUDGET = 12  # seconds for each search
rng = np.random.default_rng(2)
grid = [
    {"learning_rate": rate, "batch_size": batch_size, "units": units}
    for rate, batch_size, units in product(
        10 ** np.array([-3.5, -2.5, -1.5]), (16, 64, 128), (16, 64, 128)
    )
]
rng.shuffle(grid)
searches = {
    "grid": search(grid, BUDGET),
    "random": search([draw_settings(rng) for _ in grid], BUDGET),
}
for name, trials in searches.items():
    different = len({setting["learning_rate"] for setting, _ in trials})
    setting, right = max(trials, key=lambda trial: trial[1].mean())
    setting = ", ".join(f"{key} {value:.3g}" for key, value in setting.items())
    print(f"{name:6}  {len(trials)} trials, {different} learning rates")
    print(f"        best {right.mean():.1%}: {setting}")

# %% [markdown]
# One search is a single sample: with another seed the other may win. The left panel shows what
# every trial reached. A fairer question: what would be the best of $k$ trials **on average**, if
# the same trials came in any other order? The right panel shows it, from 2,000 random orders.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.5), sharey=True)
styles = {"grid": (plots.BLUE, "s"), "random": (plots.VERMILION, "^")}
for name, (color, marker) in styles.items():
    scores = np.array([answers.mean() for _, answers in searches[name]])
    left.plot(
        [s["learning_rate"] for s, _ in searches[name]], scores, marker, color=color, label=name
    )
    orders = rng.permuted(np.tile(scores, (2000, 1)), axis=1)
    expected = np.maximum.accumulate(orders, axis=1).mean(axis=0)
    right.plot(range(1, len(scores) + 1), expected, marker=marker, color=color)
left.set(xscale="log", xlim=(8e-5, 0.12), xlabel="learning rate", title="every trial")
left.set_ylabel("validation accuracy")
left.legend(loc="lower center")
right.set(xlabel="trials $k$", title="best of $k$, on average")
right.xaxis.get_major_locator().set_params(integer=True)
plots.show(
    figure,
    alt="Left, validation accuracy of each trial against the learning rate on a log scale: the "
    "squares of the grid stand in three columns, the triangles of the random search are spread "
    "out. Right, the mean of the best of k trials rises for both and flattens.",
)

# %% [markdown]
# The grid spends its trials on three learning rates only; the random search sees a new one in each
# trial. Bergstra and Bengio (2012) show when this pays: if one setting matters much more than the
# others, random search explores it more finely. Which of the two is ahead *here* depends on the
# seed, so we don't conclude anything from one search. What mattered, and would matter again, is to
# search on a **log scale**, and to look at the figure: where is the learning rate too small for six
# epochs, where too large?
#
# One more warning. The winner's score is the best of many. With so many tries, one is lucky on just
# these validation digits. How much luck is in it? Cut the validation digits in two halves at
# random, choose the winner on one half and look how it does on the other, 1,000 times. The first
# score minus the second: which sign do you expect?

# %%
all_trials = [trial for found in searches.values() for trial in found]
answers = np.array([right for _, right in all_trials])
optimism = []
for _ in range(1000):
    order = rng.permutation(answers.shape[1])
    chosen_by, fresh = answers[:, order[:1000]].mean(axis=1), answers[:, order[1000:]].mean(axis=1)
    winner = chosen_by.argmax()
    optimism.append(chosen_by[winner] - fresh[winner])
print(f"winner's score where it was chosen, minus on fresh digits: {np.mean(optimism):+.2%}")

# %% [markdown]
# The winner looks better where it was chosen than it is: the score that you choose by is **too
# optimistic**. The more you try and the fewer digits you choose on, the more so. That is what the
# test set is for.
#
# ## The test set, once
#
# Now we choose, among all that we tried, by the accuracy on the validation digits: the best remedy,
# or the winner of the searches?

# %%
chosen = max(results, key=lambda name: results[name][1])
_, right = max(all_trials, key=lambda trial: trial[1].mean())
print(f"best remedy, {chosen}: {results[chosen][1]:.1%}")
print(f"winner of the searches: {right.mean():.1%}")

# %% [markdown]
# The remedy: it had a larger network and more epochs, and augmentation made new digits for it. (A
# search over networks *with* augmentation would be the next thing to pay for.) Now the validation
# digits have done their work and may join the training digits: 3,000 in all. We train this network
# once more for 30 epochs, with a learning rate that falls to zero along a cosine, so that the end
# is settled. It takes about fifteen seconds. Then, for the first and only time, the test digits.

# %%
x_all, y_all = np.concatenate([x_train, x_valid]), np.concatenate([y_train, y_valid])
keras.utils.set_random_seed(2)
final = build(**remedies[chosen])
falling = keras.optimizers.schedules.CosineDecay(0.001, decay_steps=30 * len(x_all) // 50)
final.compile(
    keras.optimizers.Adam(falling), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
history = final.fit(x_all, y_all, 50, 30, verbose=0, callbacks=training.progress())

# %% [markdown]
# What will it be, compared with the validation accuracy above? There were three times as many
# digits to learn from, and the labels of the new ones are right.

# %%
test_accuracy = final.evaluate(digits.x_test[..., None], digits.y_test, 500, verbose=0)[1]
check.reached("test accuracy", test_accuracy, at_least=0.94 if digits.source.real else 0.91)

# %% [markdown]
# When we ran it, it was better than the validation accuracy: the digits that were added to the
# training weighed more than the optimism of choosing. Is it so for you, too?

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - A loss is a decision about what is bad: MSE leads to the mean, MAE to the median, your own loss
#   to what you need.
# - A learning rate must stay below 2 / (largest curvature). Momentum helps along valleys; RMSprop
#   and Adam give each weight its own step.
# - The noise of a mini-batch falls with the square root of its size; small batches make more steps
#   per epoch.
# - Initialize with He for ReLU; Glorot is made for tanh. Equal weights stay equal.
# - Overfitting shows where the validation loss turns while the training loss falls. More data, even
#   made by augmentation, is the best remedy.
# - Search on a log scale, with a budget. Choose on the validation set, and use the test set once.
#
# ### Go further
#
# - Change `MISS` to 2 and to 10. How do missed storms and false alarms change? Which would you
#   choose?
# - Put your `EarlyStopping` in the place of Keras's. Does a patience of 1 or of 10 change the
#   result?
# - Combine two remedies, dropout and augmentation for example. Do their gains add up?
# - Let the search also draw the number of layers and the activation. Does it find better in the
#   same time?
# - Let a learning rate above 2 / curvature fall by one percent in each step. Does the walk on the
#   bowl recover?
#
# ### References
#
# - P. J. Huber (1964): *Robust estimation of a location parameter*. Annals of Mathematical
#   Statistics 35, 73-101.
# - H. H. Rosenbrock (1960): *An automatic method for finding the greatest or least value of a
#   function*. The Computer Journal 3, 175-184.
# - T. Tieleman and G. Hinton (2012): *Lecture 6.5: RMSProp*. Coursera, Neural Networks for Machine
#   Learning.
# - I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013): *On the importance of initialization and
#   momentum in deep learning*. ICML.
# - D. P. Kingma and J. Ba (2015): *Adam: a method for stochastic optimization*. ICLR.
# - X. Glorot and Y. Bengio (2010): *Understanding the difficulty of training deep feedforward
#   neural networks*. AISTATS.
# - K. He, X. Zhang, S. Ren and J. Sun (2015): *Delving deep into rectifiers*. ICCV.
# - L. Prechelt (1998): *Early stopping - but when?* In: Neural Networks: Tricks of the Trade,
#   Springer.
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov (2014): *Dropout: a
#   simple way to prevent neural networks from overfitting*. Journal of Machine Learning Research
#   15, 1929-1958.
# - J. Bergstra and Y. Bengio (2012): *Random search for hyper-parameter optimization*. Journal of
#   Machine Learning Research 13, 281-305.
