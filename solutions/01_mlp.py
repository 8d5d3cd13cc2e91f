# %% [markdown]
# # From a neuron to a multilayer perceptron
#
# You will be able to
#
# - compute what a neuron does, and the slopes of its activation function,
# - turn scores into probabilities, and probabilities into a loss, without overflow,
# - write backpropagation and mini-batch gradient descent yourself, and test them,
# - explain what a hidden layer adds, and when depth or width helps,
# - build such networks in Keras and teach one to read handwritten digits.
#
# You need about three hours. The computing takes one to two minutes on two cores (up to twice that with the
# real MNIST, which has twice as many images) and 1.1 GB of memory. The data: points that the lab makes
# itself, and MNIST, 70,000 handwritten digits; where MNIST is not on this machine, a smaller set made
# for this course takes its place.

# %% [markdown]
# ## One neuron
#
# A neuron takes a list of numbers $x$ and gives one number. It does so in two steps:
#
# $$a = w \cdot x + b \qquad\qquad h = g(a)$$
#
# Here $w \cdot x = w_1 x_1 + w_2 x_2 + \dots$ is the sum of the products. The **weights** $w$ say how much
# each input counts, the **bias** $b$ shifts the result. $a$ is called the *pre-activation*, $g$ the
# *activation function*, $h$ the *activation*.
#
# With $g(a) = a$ the neuron is nothing new: it is **linear regression**. Let us **train** one, that is,
# find the $w$ and $b$ that fit examples: 50 points near the line $y = 2x + 1$. A **loss** says how badly
# they fit. Here it is the *mean squared error*, the mean of $\text{error}^2$ with
# $\text{error} = w x + b - y$. Its slope along $w$ is the mean of $2 \cdot \text{error} \cdot x$, its slope
# along $b$ the mean of $2 \cdot \text{error}$.
#
# The neuron starts with $w = b = 0$ and walks downhill: each round changes $w$ and $b$ a little, against
# the slope. It subtracts 0.5 times the slope.

# %%
import numpy as np

from helpers.checks import mlp as check

rng = np.random.default_rng(1)
x_line = rng.uniform(-1, 1, size=50)
y_line = 2 * x_line + 1 + rng.normal(scale=0.3, size=50)

w = b = 0.0
for _ in range(200):
    error = w * x_line + b - y_line
    w -= 0.5 * np.mean(2 * error * x_line)
    b -= 0.5 * np.mean(2 * error)

slope, offset = np.polyfit(x_line, y_line, deg=1)
print(f"neuron:        w = {w:.4f}, b = {b:.4f}")
print(f"least squares: w = {slope:.4f}, b = {offset:.4f}")

# %% [markdown]
# The neuron has found the line that the formula for least squares gives. Everything in this lab is
# this idea again: a formula with weights, a loss, its slopes, small steps downhill.
#
# ### Exercise 1: a neuron
#
# Write `neuron(x, w, b)` with the **sigmoid** $g(a) = 1 / (1 + e^{-a})$ as activation. It squeezes every
# number into the range from 0 to 1. `x` is a *batch*: `(n, d)`, one example in each row. `w` is
# `(d,)`, `b` one number. The result has the shape `(n,)`.
#
# By hand: $x = (1, 2)$, $w = (0.5, -1)$, $b = 1$ give $a = 0.5 - 2 + 1 = -0.5$ and
# $h = 1 / (1 + e^{0.5}) \approx 0.378$.
#
# <details><summary>Hint 1</summary>
#
# `x @ w` multiplies and adds up, for all rows at once: `(n, d) @ (d,)` is `(n,)`.
# </details>
# <details><summary>Hint 2</summary>
#
# $e^{-a}$ is `np.exp(-a)`. It works on whole arrays.
# </details>


# %% tags=["exercise:neuron"]
def neuron(x, w, b):
    """Return the sigmoid of w . x + b for each row of x."""
    ### BEGIN SOLUTION
    return 1 / (1 + np.exp(-(x @ w + b)))
    ### END SOLUTION


# %% tags=["check:neuron", "nbval-check-output"]
check.neuron(neuron)

# %% [markdown]
# ## Activation functions and their slopes
#
# Six activation functions are common. ReLU stands for *rectified linear unit*, ELU for *exponential
# linear unit*. The leaky ReLU has a small slope below zero, its leak $\lambda$: here 0.1, `LEAK` in the
# code. In this section $x$ is the number that $g$ is applied to, $a$ above.
#
# | name | $g(x)$ for $x \ge 0$ | for $x < 0$ |
# |---|---|---|
# | linear | $x$ | the same |
# | sigmoid | $1 / (1 + e^{-x})$ | the same |
# | tanh | $(e^x - e^{-x}) / (e^x + e^{-x})$ | the same |
# | ReLU | $x$ | $0$ |
# | leaky ReLU | $x$ | $\lambda x$ |
# | ELU | $x$ | $e^x - 1$ |
#
# To train, we need their slopes. A slope can be *measured*: go a small step $\varepsilon$ to the right and
# to the left, and divide the rise by the run. This is a **finite difference**:
#
# $$g'(x) \approx \frac{g(x + \varepsilon) - g(x - \varepsilon)}{2 \varepsilon}$$
#
# The figure draws each $g$ and its measured slope. Look for the places where the slope is nearly
# zero: there, a neuron learns next to nothing, because the slope of $g$ is a factor in each of its steps.

# %%
import matplotlib.pyplot as plt

from helpers import plots

LEAK = 0.1
activations = {
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, LEAK * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
}
x_axis, step = np.linspace(-4, 4, 400), 1e-5
figure, axes = plt.subplots(2, 3, figsize=(7.5, 4.4), sharex=True, sharey=True)
for axis, (name, g) in zip(axes.flat, activations.items(), strict=True):
    axis.plot(x_axis, g(x_axis), label="$g(x)$")
    axis.plot(x_axis, (g(x_axis + step) - g(x_axis - step)) / (2 * step), "--", label="slope")
    axis.set(title=name, ylim=(-1.5, 2.5))
axes[0, 0].legend()
figure.supxlabel("input $x$")
figure.supylabel("value")
plots.show(
    figure,
    alt="Six activation functions and their slopes, from x = -4 to 4. The slopes of sigmoid and "
    "tanh vanish at both ends, those of ReLU and ELU at the left end.",
)

# %% [markdown]
# Sigmoid and tanh become flat at both ends: they *saturate*. The slope of the sigmoid is small even
# in the middle, where that of the tanh is 1. The ReLU keeps its slope of 1 on the right, and is flat
# on the left. There the leaky ReLU keeps its slope of 0.1, and that of the ELU fades to zero.
#
# ### Exercise 2: the slopes as formulas
#
# Measured slopes are slow and not exact. Write `slopes(x)`: a dictionary with the six names
# (`"linear"`, `"sigmoid"`, `"tanh"`, `"relu"`, `"leaky_relu"`, `"elu"`) and, for each, the **derivative** at
# every $x$ as an array of the shape of `x`, whatever that is: `(400,)`, `(2, 3)`.
#
# Two values to test with: at $x = 0$ the sigmoid has the slope 0.25, the tanh has the slope 1. The
# ReLU and the leaky ReLU have a corner at 0: there you may give the slope of either side.
#
# <details><summary>Hint 1: sigmoid and tanh</summary>
#
# Both can be written with the function itself. With $s$ the sigmoid: $s' = s\,(1 - s)$. With $t$ the
# tanh: $t' = 1 - t^2$.
# </details>
# <details><summary>Hint 2: the others</summary>
#
# They consist of two pieces. `np.where(x > 0, right, left)` takes the one or the other.
# `np.ones_like(x)` is an array of ones.
# </details>


# %% tags=["exercise:slopes"]
def slopes(x):
    """Return the derivative of each activation function at every x, by name."""
    ### BEGIN SOLUTION
    s = 1 / (1 + np.exp(-x))
    return {
        "linear": np.ones_like(x),
        "sigmoid": s * (1 - s),
        "tanh": 1 - np.tanh(x) ** 2,
        "relu": np.where(x > 0, 1.0, 0.0),
        "leaky_relu": np.where(x > 0, 1.0, LEAK),
        "elu": np.where(x > 0, 1.0, np.exp(x)),
    }
    ### END SOLUTION


# %% tags=["check:slopes", "nbval-check-output"]
check.slopes(slopes)

# %% [markdown]
# ## Several classes: softmax and cross-entropy
#
# To tell $C$ classes apart, the ten digits for example, we need $C$ neurons side by side, a **layer**. With
# $d$ inputs their weights form a matrix $W \in \mathbb{R}^{C \times d}$, one row for each class. Their
# pre-activations $z = W x + b$ are scores, called **logits**: the highest belongs to the class that the
# layer prefers. (Programs put the examples in rows and store $W$ the other way round, `(d, C)`, so the
# code reads `x @ W + b`.)
#
# The **softmax** turns logits into probabilities: positive, and their sum is one.
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# The **cross-entropy** is the loss: minus the natural logarithm of the probability of the right class.
# With a *one-hot* label $y$ (1 for the right class, 0 elsewhere) this is $-\sum_k y_k \log p_k$. A layer
# with softmax and cross-entropy is called **softmax regression**.
#
# The cell computes both for three logits, and then the softmax again after 1000 was added to each
# logit. Should that change the probabilities?

# %%
z = np.array([1.0, 2.0, 3.0])
p = np.exp(z) / np.exp(z).sum()
one_hot = np.array([0, 0, 1])

print("softmax:         ", p)
print("cross-entropy:   ", -np.sum(one_hot * np.log(p)))
with np.errstate(over="ignore", invalid="ignore"):
    print("logits + 1000:   ", np.exp(z + 1000) / np.exp(z + 1000).sum())

# %% [markdown]
# The last line went wrong. $e^{1000}$ is too large for a floating-point number, so it becomes
# infinite, and infinity divided by infinity is `nan`, *not a number*. Yet the true answer is the
# same as in the first line: a constant added to every logit cancels in the fraction.
#
# ### Exercise 3: a softmax that does not overflow
#
# Write `softmax(z)` for a batch of logits `(n, C)`. Each **row** is one example and must sum to one.
# Logits of 1000 must work too. `[[1, 2, 3]]` gives `[[0.09003057, 0.24472847, 0.66524096]]`.
#
# <details><summary>Hint 1</summary>
#
# A constant cancels, so subtract one that makes the largest logit of each row 0.
# </details>
# <details><summary>Hint 2</summary>
#
# `z.max(axis=-1)` has the shape `(n,)`. With `keepdims=True` it is `(n, 1)`, and NumPy then uses one
# number for each row. The sum needs the same.
# </details>


# %% tags=["exercise:softmax"]
def softmax(z):
    """Return the softmax of each row of z, (n, C)."""
    ### BEGIN SOLUTION
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
    ### END SOLUTION


# %% tags=["check:softmax", "nbval-check-output"]
check.softmax(softmax)

# %% [markdown]
# A second trap: a probability may be so small that it is rounded to 0, and $\log 0$ is minus
# infinity. The way out is to go from logits to the loss without the probability in between:
#
# $$-\log p_k = \log \Big(\sum_j e^{z_j}\Big) - z_k$$
#
# ### Exercise 4: cross-entropy with logits
#
# Write `cross_entropy(z, y)`: `z` are logits `(n, C)`, `y` the numbers of the right classes `(n,)`, whole
# numbers from 0 to $C - 1$. The result is **one number**, the mean over the batch.
#
# For `z = [[1, 2, 3]]` and `y = [2]` it is 0.4076, as computed above. For `z = [[1000, 0]]` and
# `y = [1]` it is exactly 1000.
#
# <details><summary>Hint 1</summary>
#
# First subtract the largest logit of each row, as before. It cancels here too.
# </details>
# <details><summary>Hint 2</summary>
#
# `z[np.arange(n), y]` picks from each row the number in the column that `y` names.
# </details>


# %% tags=["exercise:cross_entropy"]
def cross_entropy(z, y):
    """Return the mean cross-entropy of logits z, (n, C), and class numbers y, (n,)."""
    ### BEGIN SOLUTION
    z = z - z.max(axis=-1, keepdims=True)
    losses = np.log(np.exp(z).sum(axis=-1)) - z[np.arange(len(y)), y]
    return losses.mean()
    ### END SOLUTION


# %% tags=["check:cross_entropy", "nbval-check-output"]
check.cross_entropy(cross_entropy)

# %% [markdown]
# ## A hidden layer
#
# Put one layer behind another: the first computes $h$ from $x$, the second computes $z$ from $h$. The
# layer in the middle is called **hidden**, the whole a **multilayer perceptron** (MLP).
#
# The figure draws it as a **computational graph**: each box is one simple step, with the shape of its
# result above it. Follow the blue arrows to the right: the *forward pass*. Then follow the orange
# arrows back: the *backward pass*. It carries the slope of the loss $L$ with respect to each box. The
# slopes of $L$ along all numbers of an array form its **gradient**, an array of the same shape:
# $dL/dW_1$ has the shape of $W_1$.

# %%
steps = [
    ("$x$", "(n, 2)", "", ""),
    ("$a = x\\,W_1 + b_1$", "(n, 16)", "$dL/da$", "$dL/dW_1,\\ dL/db_1$"),
    ("$h = \\tanh(a)$", "(n, 16)", "$dL/dh$", ""),
    ("$z = h\\,W_2 + b_2$", "(n, 2)", "$dL/dz$", "$dL/dW_2,\\ dL/db_2$"),
    ("$L$ = loss$(z, y)$", "one number", "1", ""),
]
rightward = {"arrowstyle": "->", "color": plots.BLUE, "lw": 2}
leftward = rightward | {"color": plots.VERMILION}

figure, axis = plt.subplots(figsize=(9, 2.8))
axis.set(xlim=(-0.4, 9.2), ylim=(-2.5, 1.0))
axis.axis("off")
for place, (box, shape, slope, result) in zip([0, 2, 4.2, 6.4, 8.6], steps, strict=True):
    axis.text(place, 0, box, ha="center", va="center", bbox={"boxstyle": "round", "fc": "0.93"})
    axis.text(place, 0.65, shape, ha="center", fontsize=9)
    axis.text(place, -1.2, slope, ha="center", va="center", color=plots.VERMILION)
    axis.text(place, -2.3, result, ha="center", va="center", color=plots.VERMILION)
    if result:
        axis.annotate("", (place, -2.0), (place, -1.5), arrowprops=leftward)
for start, end in [(0.3, 1.1), (2.9, 3.5), (4.9, 5.5), (7.3, 7.75)]:
    axis.annotate("", (end, 0), (start, 0), arrowprops=rightward)
for start, end in [(8.3, 6.9), (5.9, 4.7), (3.7, 2.5)]:
    axis.annotate("", (end, -1.2), (start, -1.2), arrowprops=leftward)
plots.show(
    figure,
    alt="Computational graph: x, then a = x W1 + b1, then h = tanh(a), then z = h W2 + b2, then the "
    "loss L. Arrows back: from 1 to dL/dz, dL/dh, dL/da; from dL/dz down to the gradients of W2 and "
    "b2, from dL/da down to those of W1 and b1.",
)

# %% [markdown]
# Each orange arrow crosses one box only. So it needs one simple slope: that of its own box. For example,
# $dL/da$ is $dL/dh$ times the slope of the tanh at $a$. This is the chain rule, and the whole secret of
# backpropagation.
#
# Here is the forward pass in NumPy. From here on we take softmax and its logarithm from the library
# `scipy.special`. The weights start as small random numbers, the biases as zero.

# %%
from scipy import special


def initialize(inputs, hidden, classes, rng):
    """Return random weights and zero biases of a network with one hidden layer."""
    return {
        "W1": rng.normal(size=(inputs, hidden)) / np.sqrt(inputs),
        "b1": np.zeros(hidden),
        "W2": rng.normal(size=(hidden, classes)) / np.sqrt(hidden),
        "b2": np.zeros(classes),
    }


def forward(parameters, x):
    """Return the hidden activations h and the logits z of a batch x."""
    h = np.tanh(x @ parameters["W1"] + parameters["b1"])
    return h, h @ parameters["W2"] + parameters["b2"]


def probability(parameters, x):
    """Return the probability of class 1 for each row of x."""
    return special.softmax(forward(parameters, x)[1], axis=-1)[:, 1]


def loss(parameters, x, y):
    """Return the mean cross-entropy of a batch x with class numbers y."""
    z = forward(parameters, x)[1]
    return -special.log_softmax(z, axis=-1)[np.arange(len(y)), y].mean()


# %% [markdown]
# ## Backpropagation
#
# First a slow way, to test the fast one with: finite differences. Move **one** weight a little up and a
# little down, and look at how the loss changes. Then the next weight, and so on.


# %%
def numerical_gradients(parameters, x, y, step=1e-5):
    """Return the slope of the loss along every parameter, measured by small steps."""
    slopes = {name: np.zeros_like(values) for name, values in parameters.items()}
    for name, values in parameters.items():
        for index in np.ndindex(values.shape):
            shift = np.zeros_like(values)
            shift[index] = step
            up = loss(parameters | {name: values + shift}, x, y)
            down = loss(parameters | {name: values - shift}, x, y)
            slopes[name][index] = (up - down) / (2 * step)
    return slopes


# %% [markdown]
# It is right, but each weight costs two forward passes. The chain rule gives **all** slopes in one pass
# backward. Three rules are enough, one for each kind of box. Write $\delta$ for the slope that arrives
# from the right, with the shape of the box's result; $n$ is the number of examples.
#
# | box | what to do with $\delta$ |
# |---|---|
# | loss of $z$ | the start: pass on to the left $\delta = (\text{softmax}(z) - \text{one-hot}(y))\, /\, n$ |
# | $h W + b$ | the gradient of $W$ combines $h$ and $\delta$, that of $b$ sums $\delta$ over the batch; pass on to the left $\delta\, W^T$ |
# | $\tanh(a)$ | multiply $\delta$ by the slope of the tanh, element by element, and pass it on |
#
# In the first layer $x$ takes the place of $h$, and nothing has to be passed on.
#
# <details><summary>Why softmax minus one-hot?</summary>
#
# For one example with the right class $k$ the loss is $\log \sum_j e^{z_j} - z_k$. Its derivative with
# respect to $z_i$ is $e^{z_i} / \sum_j e^{z_j}$, which is $p_i$, minus 1 if $i = k$. The mean over $n$
# examples divides by $n$.
# </details>
#
# ### Exercise 5: backpropagation
#
# Write `gradients(parameters, x, y)`: a dictionary with the keys `"W1"`, `"b1"`, `"W2"`, `"b2"`, each of the
# shape of its parameter. Call `forward` for `h` and `z`. The check compares every number with finite
# differences.
#
# The start, by hand: two classes, one example, $z = (0, 0)$ and $y = 1$. The softmax is $(0.5, 0.5)$, the
# one-hot label is $(0, 1)$, so $\delta = (0.5, -0.5)$. A step downhill lowers $z_0$ and raises $z_1$.
#
# <details><summary>Hint 1: shapes</summary>
#
# The gradient of $W_2$ has the shape of $W_2$, (hidden, classes). You have `h`, (n, hidden), and $\delta$,
# (n, classes). Only one product of the two has the right shape, with one of them transposed (`.T`).
# </details>
# <details><summary>Hint 2: the tanh</summary>
#
# Its slope is $1 - \tanh(a)^2$, and `h` is $\tanh(a)$ already.
# </details>
# <details><summary>Hint 3: the start</summary>
#
# `np.eye(C)[y]` makes one-hot labels of `C` classes; `special.softmax(z, axis=-1)` the probabilities.
# </details>


# %% tags=["exercise:gradients"]
def gradients(parameters, x, y):
    """Return the gradient of the loss for each parameter, by the chain rule."""
    ### BEGIN SOLUTION
    h, z = forward(parameters, x)
    one_hot = np.eye(z.shape[1])[y]
    dz = (special.softmax(z, axis=-1) - one_hot) / len(x)
    da = (dz @ parameters["W2"].T) * (1 - h**2)
    return {"W1": x.T @ da, "b1": da.sum(axis=0), "W2": h.T @ dz, "b2": dz.sum(axis=0)}
    ### END SOLUTION


# %% tags=["check:gradients:2", "nbval-check-output"]
check.gradients(gradients)

# %% [markdown]
# Stuck? Go on with `gradients = numerical_gradients` in a new cell, and come back later. All that follows
# works with it too; the next training then takes about half a minute. For the network at the
# end of this lab it would be hopeless: twice as many forward passes as it has weights, for one step.
#
# ## Mini-batch gradient descent
#
# **Stochastic gradient descent** (SGD) does not wait for the slopes of the whole data set. It takes a
# small random batch (a *mini-batch*), computes the slopes on it, and makes a step at once:
#
# $$\text{new} = \text{old} - \text{rate} \times \text{slope}$$
#
# The rate, in full the **learning rate**, says how long the steps are. One **epoch** is one pass through
# all examples, in a new random order.
#
# ### Exercise 6: one epoch
#
# Write `sgd_epoch(parameters, gradients, x, y, rate, batch_size, rng)`. Shuffle the row numbers, cut them
# into batches, make one step with each batch, from where the last step ended. Return the new parameters
# as a **new** dictionary, and leave the one that was given unchanged. With 11 examples and `batch_size=4`
# the batches have 4, 4 and 3 rows: no example is left out.
#
# The function `gradients(parameters, x, y)` is given to yours as an argument; call it with the rows and
# labels of a batch. It returns a dictionary with the same keys as `parameters`. `rng` is a random
# generator of NumPy.
#
# <details><summary>Hint 1</summary>
#
# `order = rng.permutation(len(x))` is a shuffled list of row numbers. `x[order[0:4]]` are the first four
# rows in that order, `y[order[0:4]]` their labels.
# </details>
# <details><summary>Hint 2</summary>
#
# `for start in range(0, len(x), batch_size):` and a new dictionary in each step:
# `{name: ... for name in parameters}`.
# </details>


# %% tags=["exercise:sgd_epoch"]
def sgd_epoch(parameters, gradients, x, y, rate, batch_size, rng):
    """Return the parameters after one pass through the data in random mini-batches."""
    ### BEGIN SOLUTION
    order = rng.permutation(len(x))
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        slopes = gradients(parameters, x[batch], y[batch])
        parameters = {name: parameters[name] - rate * slopes[name] for name in parameters}
    return parameters
    ### END SOLUTION


# %% tags=["check:sgd_epoch:2", "nbval-check-output"]
check.sgd_epoch(sgd_epoch)

# %% [markdown]
# Now your own network learns. The data are two **moons**, with some noise: no straight line can
# separate them. The network has 16 hidden neurons.

# %%
from sklearn.datasets import make_moons

moons = *make_moons(1000, noise=0.2, random_state=0), *make_moons(2000, noise=0.2, random_state=1)
x_moons, y_moons, x_test_moons, y_test_moons = moons

rng = np.random.default_rng(0)
snapshots = [initialize(inputs=2, hidden=16, classes=2, rng=rng)]  # later one for every epoch

# %% [markdown]
# It trains for 100 epochs, and the parameters after every epoch are kept. (Not there yet? Leave out the
# next two code cells and go on with *The same in Keras*: all that follows works without them.)

# %%
del snapshots[1:]  # run again, it begins again
for _ in range(100):
    snapshots.append(sgd_epoch(snapshots[-1], gradients, x_moons, y_moons, 0.2, 32, rng))

# %% [markdown]
# Look at the black line, where both classes are equally probable. How does its shape change from
# epoch to epoch? Where the background is pale, the network is not sure. (Some of the training points
# are drawn; the accuracy is that on test points. The cell ends with a check of the last accuracy.)

# %%
from functools import partial

figure, axes = plt.subplots(1, 4, figsize=(10, 2.7), sharey=True)
for axis, epoch in zip(axes, [0, 1, 10, 100], strict=True):
    predict = partial(probability, snapshots[epoch])
    plots.decision_boundary(predict, x_moons[:200], y_moons[:200], axis)
    axis.label_outer()
    accuracy = np.mean((predict(x_test_moons) > 0.5) == y_test_moons)
    axis.set_title(f"epoch {epoch}: accuracy {accuracy:.3f}")
plots.show(
    figure,
    alt="Four snapshots: the boundary between two moons is at first arbitrary, then nearly "
    "straight, and bends between the moons in the end.",
)
check.reached("test accuracy of your own network", accuracy, at_least=0.95)

# %% [markdown]
# It starts anywhere, becomes a nearly straight line within an epoch, and then bends until it winds
# between the moons. Most of the points that stay on the wrong side were put there by the noise: no
# simple curve would get them right.

# %% [markdown]
# ## The same in Keras
#
# In Keras a layer is an object and a network is a list of them. `Dense` is the kind of layer that you
# know: each of its neurons takes all inputs. `Input` gives the shape of **one** example. The cell below
# builds the network again and copies **your** weights into it. Do the two compute the same? (The first
# `import keras` takes some seconds.)

# %%
import keras

twin = keras.Sequential(
    [
        keras.Input((2,)),
        keras.layers.Dense(16, activation="tanh"),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
twin.set_weights([snapshots[-1][name] for name in ["W1", "b1", "W2", "b2"]])
yours = probability(snapshots[-1], x_test_moons)
keras_says = keras.ops.convert_to_numpy(twin(x_test_moons))[:, 1]
print("largest difference:", np.abs(keras_says - yours).max())

# %% [markdown]
# They agree up to rounding (Keras computes with 32 bits, NumPy with 64). From here on Keras does the
# backpropagation. You know what it does.
#
# ## Features by hand or learned
#
# A *feature* is a number computed from the inputs. Without a hidden layer, one has to make a problem
# linear by hand: give the single layer not only $x_1$ and $x_2$ but also $x_1^2$, $x_1 x_2$, $x_2^3$ and
# so on, **polynomial features**. A hidden layer makes its own features.
#
# The next cell holds the tools: a second, harder problem, two **spirals**, and a function that trains a
# network on a problem and draws the result. In Keras, `compile` gives the model its loss and its
# *optimizer*, the way it walks downhill; `fit` trains it, here for 80 epochs with batches of 100. The
# optimizer is Adam, a descent that adapts its steps (lab 02 explains it).

# %%
from helpers import training


def spirals(n, rng):
    """Return n noisy points (n, 2) on two spirals, and which spiral each is on, (n,)."""
    y, r = rng.integers(0, 2, n), rng.uniform(0.1, 1, n)
    angle = 4 * np.pi * r + np.pi * y
    points = 3 * r[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + rng.normal(scale=0.1, size=(n, 2)), y


def solve(axis, name, problem, hidden=(), features=np.asarray):
    """Train a network with these hidden layers; draw its boundary and test accuracy."""
    x, y, x_test, y_test = problem
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(units, activation="relu") for units in hidden]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.02), loss="sparse_categorical_crossentropy")
    model.fit(features(x), y, 100, epochs=80, verbose=0, callbacks=training.progress())

    def predict(points):
        return keras.ops.convert_to_numpy(model(features(points)))[:, 1]

    accuracy = np.mean((predict(x_test) > 0.5) == y_test)
    plots.decision_boundary(predict, x[:250], y[:250], axis)
    axis.set_title(f"{name}\n{model.count_params()} parameters, accuracy {accuracy:.3f}")


# %% [markdown]
# Six trainings, twenty to forty seconds on two cores. Rows: moons, spirals. Columns: the two inputs alone;
# nine polynomial features up to the third power; a hidden layer. Which column solves **both** rows?

# %%
from sklearn.preprocessing import PolynomialFeatures

cubic = PolynomialFeatures(degree=3, include_bias=False).fit_transform
spiral = *spirals(1000, np.random.default_rng(0)), *spirals(2000, np.random.default_rng(1))
figure, axes = plt.subplots(2, 3, figsize=(8.2, 5.6), sharex="row", sharey="row")
for row, problem in zip(axes, [moons, spiral], strict=True):
    solve(row[0], "inputs alone", problem)
    solve(row[1], "cubic features by hand", problem, features=cubic)
    solve(row[2], "hidden layer of 128", problem, hidden=[128])
plots.show(
    figure,
    alt="Moons and spirals, each with three boundaries. The inputs alone give a "
    "straight line. Cubic features follow the moons but not the spirals. The hidden layer "
    "follows both.",
)

# %% [markdown]
# A straight line solves neither. The cubic features bend round the moons, but the spirals wind more
# often than a cubic can. The hidden layer solves both **with the same code**: nobody had to find the
# right features.
#
# ## Deep or wide
#
# Two ways to make a network larger: more neurons in a layer (*width*) or more layers (*depth*). Three
# networks try the spirals. The first two have about the same number of parameters, the third has
# several times as many. Before you run the cell (ten to twenty seconds): which one will fail?

# %%
figure, axes = plt.subplots(1, 3, figsize=(8.2, 3), sharey=True)
solve(axes[0], "one layer of 32", spiral, hidden=[32])
solve(axes[1], "two layers of 11", spiral, hidden=[11, 11])
solve(axes[2], "one layer of 128", spiral, hidden=[128])
plots.show(
    figure,
    alt="Spirals with three networks: one layer of 32 neurons cuts through the "
    "spirals in places, two layers of 11 and one layer of 128 follow them.",
)

# %% [markdown]
# One layer of 32 does not get there. Spent on **two** layers, about as many parameters do: the second
# layer bends what the first has bent already. Width does it too, but at a higher price.
#
# ## Handwritten digits
#
# Now the real thing: images of digits, 28 by 28 pixels. An MLP takes a *list* of numbers, so each image
# becomes one row of 784 pixels. They stay whole numbers from 0 to 255, because these need only a
# quarter of the memory of fractions.

# %%
from helpers import data

digits = data.mnist()
x_train = digits.x_train.reshape(-1, 784)
x_test = digits.x_test.reshape(-1, 784)
y_train, y_test = digits.y_train, digits.y_test
plots.show(
    plots.images(digits.x_train[:20], titles=[str(label) for label in y_train[:20]]),
    alt="Twenty handwritten digits, white on black, each with its label above it.",
)

# %% [markdown]
# First a baseline without a hidden layer: softmax regression, one layer of ten neurons. Before it, the
# layer `Rescaling` divides the pixels by 255; it has no parameters. A label here is a whole number, not
# one-hot; that is what *sparse* means in the name of the loss. It is given the probabilities of the
# softmax, and Keras itself guards it against the logarithm of 0. The training takes a few seconds.

# %%
keras.utils.set_random_seed(1)
linear = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
linear.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
linear.fit(x_train, y_train, 128, epochs=5, verbose=0, callbacks=training.progress())
linear_accuracy = linear.evaluate(x_test, y_test, verbose=0)[1]
print(f"{linear.count_params():,} parameters, test accuracy {linear_accuracy:.4f}")

# %% [markdown]
# Each of the ten neurons has 784 weights and one bias: ten times 785 parameters. In general a dense
# layer with $d$ inputs and $C$ outputs has $d \cdot C$ weights and $C$ biases.
#
# How large do networks get? Take a color image of 28 by 28 by 3 numbers and two layers of 1000 neurons.
# Count the parameters before you run the cell.

# %%
inputs = 28 * 28 * 3
first = inputs * 1000 + 1000
second = 1000 * 1000 + 1000
print(f"first layer {first:,} + second layer {second:,} = {first + second:,}")
print(f"a common mistake gives {2 * inputs * 1000:,}")

# %% [markdown]
# <details><summary>Think: what is the mistake?</summary>
#
# It multiplies the inputs of the *image* by both layers: 2352 x 1000 twice. But the second layer does
# not see the image. It sees the 1000 outputs of the first. (And the biases are forgotten.)
# </details>
#
# ### Exercise 7: an MLP in Keras
#
# 1. Work out **on paper** how many parameters the network 784 - 128 - 10 has. Write the number in `count`.
# 2. Build it in `model`: the pixels divided by 255, one hidden layer of 128 neurons with ReLU, ten outputs
#    with softmax.
# 3. Compile it with the optimizer given, a cross-entropy for whole-number labels, and the metric
#    `"accuracy"`.
#
# A small example: the network 3 - 4 - 2 has $3 \cdot 4 + 4 + 4 \cdot 2 + 2 = 26$ parameters.
#
# The optimizer, in the variable `optimizer`, is Adam; its learning rate falls along a cosine, down to
# zero at the end.
#
# <details><summary>Hint 1</summary>
#
# A few cells above there is a network without a hidden layer. Put one more layer in front of the last.
# </details>
# <details><summary>Hint 2</summary>
#
# Does the loss expect logits? Only if you say `from_logits=True`. With a softmax in the model, don't.
# </details>

# %% tags=["exercise:mnist_model"]
EPOCHS, BATCH = 10, 128
schedule = keras.optimizers.schedules.CosineDecay(0.003, EPOCHS * len(x_train) // BATCH)
optimizer = keras.optimizers.Adam(schedule)
keras.utils.set_random_seed(2)

count = None
model = None
### BEGIN SOLUTION
count = 784 * 128 + 128 + 128 * 10 + 10
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
### END SOLUTION

# %% tags=["check:mnist_model:2", "nbval-check-output"]
check.mnist_model(count, model)

# %% [markdown]
# Train it: about half a minute on two cores, about twice as long with the real MNIST. (To train it
# again, first run the cell of exercise 7 again: the learning rate has fallen to zero by the end.) Two
# things to look for. Does the curve of the test images (*validation* in the figure) follow that of the
# training images, or does a gap open? And how many of the errors of the baseline are left?

# %%
history = model.fit(
    x_train,
    y_train,
    BATCH,
    EPOCHS,
    validation_data=(x_test, y_test),
    verbose=0,
    callbacks=training.progress(),
)
mlp_accuracy = history.history["val_accuracy"][-1]
plots.show(
    plots.learning_curves(history),
    alt="Accuracy by epoch: the training curve rises nearly to 1, the test curve ends below it.",
)
ratio = (1 - linear_accuracy) / (1 - mlp_accuracy)
bar = 0.975 if digits.source.real else 0.92
check.reached(
    "test accuracy of the MLP",
    mlp_accuracy,
    at_least=bar,
    hint="Is exercise 7 correct? Build the model anew with its cell, and train it again.",
)
print(f"The baseline makes {ratio:.1f} times as many errors.")

# %% [markdown]
# The hidden layer removes more than half of the errors of the baseline. The network knows the training
# images almost by heart and does worse on the test images: this gap is called *overfitting*, a subject
# of lab 02. (In the first epoch the training curve may be the lower one: it is a mean over the epoch, and
# the network was still poor when the epoch began.)
#
# Here we only look at the test images. To *choose* something by them, the number of epochs for example,
# you would need a third set of images: lab 02 again.

# %% [markdown]
# ## What the network does not see
#
# Now an odd experiment. Draw **one** random order of the 784 pixels, and put the pixels of **every**
# image, training and test, into this order. The upper row shows ten images as they are, the lower row
# the same images in the new order. Could you read them?

# %%
order = np.random.default_rng(0).permutation(784)
shuffled = x_train[:10, order].reshape(-1, 28, 28)
plots.show(
    plots.images([*x_train[:10].reshape(-1, 28, 28), *shuffled]),
    alt="Ten digits, and below them the same digits with shuffled pixels, which look like noise.",
)

# %% [markdown]
# To us it is noise. Now the same network is trained on such images, from the start.
#
# ### Exercise 8: predict
#
# How will the test accuracy change? Write one of these words in `prediction` **before** you run the
# experiment:
#
# - `"much lower"`: by more than 5 percentage points,
# - `"a little lower"`: by 1 to 5 points,
# - `"the same"`: within 1 point,
# - `"higher"`: by more than 1 point.
#
# <details><summary>Hint</summary>
#
# Write down the pre-activation of one hidden neuron as a sum over pixels. What does another order do
# to a sum?
# </details>

# %% tags=["exercise:shuffle"]
prediction = None
### BEGIN SOLUTION
prediction = "the same"
### END SOLUTION

# %% [markdown]
# The experiment: the same network with new random weights, the same training, shuffled pixels. It takes
# about as long as the training before.

# %%
keras.utils.set_random_seed(3)
blind = keras.models.clone_model(model)
blind.compile_from_config(model.get_compile_config())
blind.fit(x_train[:, order], y_train, BATCH, EPOCHS, verbose=0, callbacks=training.progress())
blind_accuracy = blind.evaluate(x_test[:, order], y_test, verbose=0)[1]

print(f"no hidden layer: error rate {1 - linear_accuracy:.2%}")
print(f"MLP:             error rate {1 - mlp_accuracy:.2%}")
print(f"MLP, shuffled:   error rate {1 - blind_accuracy:.2%}")

# %% tags=["check:shuffle", "nbval-check-output"]
check.shuffle(prediction, mlp_accuracy, blind_accuracy)

# %% [markdown]
# The difference is chance: another seed may turn it round. A neuron adds up pixels times weights, and a
# sum does not know an order: each weight simply moves along with its pixel. So the MLP **never saw**
# that images are flat, that one pixel lies beside another. It has to do without everything that you know
# about shapes.
#
# That is a waste. Lab 03 builds a network that does see what lies side by side, and shuffles again.

# %% [markdown]
# ## Recap
#
# - A neuron is $h = g(w \cdot x + b)$. With $g(a) = a$ it is linear regression, with softmax on top a layer
#   of them is softmax regression.
# - Compute losses from logits: no overflow, no logarithm of zero. Don't apply softmax twice.
# - Backpropagation is the chain rule, box by box, from the loss back; finite differences test it.
# - SGD makes one small step downhill after each mini-batch.
# - Without a hidden layer the boundary is straight. A hidden layer learns features that we would have to
#   find by hand; a second one can be cheaper than a very wide one.
# - A dense layer has $d \cdot C + C$ parameters, and no idea of neighborhood.

# %%
check.score_card()

# %% [markdown]
# ### Go further
#
# - Give your own network on the moons the ReLU in place of the tanh. Which two lines change?
# - Find the smallest single hidden layer that solves the spirals, and the smallest pair of layers.
# - Draw the weights of some hidden neurons of the digit network as images of 28 by 28.
# - Leave the activation out of the hidden layer of `solve`. Can three layers solve the moons then?
#
# ### References
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986): *Learning representations by back-propagating
#   errors*. Nature 323, 533-536, for backpropagation.
# - G. Cybenko (1989): *Approximation by superpositions of a sigmoidal function*. Mathematics of Control,
#   Signals and Systems 2, 303-314, for what one wide hidden layer can do.
# - D.-A. Clevert, T. Unterthiner, S. Hochreiter (2016): *Fast and accurate deep network learning by
#   exponential linear units (ELUs)*. ICLR, for the ELU.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998): *Gradient-based learning applied to document
#   recognition*. Proceedings of the IEEE 86, 2278-2324, for the digits.
