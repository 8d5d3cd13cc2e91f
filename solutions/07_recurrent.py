# %% [markdown]
# # Recurrent networks
#
# Speech, heartbeats, the steps of a walk, the solar wind: measurements that come one after the other.
# Their order matters, and they go on for as long as they like. After this lab you will be able to
#
# - write a simple recurrent cell, an LSTM and a GRU by hand, equal to those of Keras,
# - run a cell over sequences of different lengths,
# - show how a gradient vanishes or explodes on its way through time, and what helps,
# - tell what somebody is doing from the phone on their belt, with networks that read sequences,
# - split data by person, and say what happens otherwise,
# - turn a signal into a picture of its frequencies.
#
# You need about three hours. The notebook computes for two to three minutes on two CPU cores and
# takes up to 1.3 GB of memory. The data: what phones measured while 30 people walked, sat, stood
# and lay (UCI HAPT), if these recordings are in the data folder; otherwise signals like them, made
# for this course. All other signals are made by the lab itself.

# %%
import matplotlib.pyplot as plt
import numpy as np

from helpers import data, plots, training
from helpers.checks import recurrent as check

# %% [markdown]
# ## One step at a time
#
# The networks so far saw a whole input at once, of a fixed size. A dense network can read a sequence
# in this way, too: put all its values side by side. But then each moment has weights of its own. What
# was learned about the third second says nothing about the fourth, and a longer sequence doesn't fit.
#
# A **recurrent** network reads one step after the other with the *same* weights, and keeps a
# **state** $h$, its memory. Each step makes a new state from the input of this step and the old state:
#
# $$h_t = \tanh(x_t W + h_{t-1} U + b)$$
#
# With one input and one unit, $W = 0.5$, $U = 0.8$ and $b = 0$, watch what becomes of a single pulse:

# %%
h, states = 0.0, []
for x in [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]:
    h = np.tanh(0.5 * x + 0.8 * h)
    states.append(h)

figure, axis = plt.subplots(figsize=(5, 2.6))
axis.bar(range(1, 11), states, width=0.5, color=plots.BLUE)
axis.set(xlabel="step", ylabel="state $h$", xticks=range(1, 11))
axis.annotate(
    "the pulse", (1, states[0]), (2.2, states[0]), va="center", arrowprops={"arrowstyle": "->"}
)
plots.show(
    figure,
    alt="Bars of the state at steps 1 to 10: the pulse lifts it to almost 0.5 at step 1, then each bar "
    "is three quarters of the one before, or a little more.",
)
print(np.round(states, 3))

# %% [markdown]
# The state remembers the pulse, less from step to step. Real cells have several inputs and many units,
# and handle many sequences at once. In what follows there are `n` sequences, `f` inputs (features) at
# each step, and `u` units.

# %% [markdown]
# ### Exercise 1: one step
#
# Write `rnn_step(x, h, kernel, recurrent, bias)`. `x` has the shape `(n, f)`: this step's input of
# each sequence. `h` is the old state, `(n, u)`. `kernel` $W$ is `(f, u)`, `recurrent` $U$ is `(u, u)`,
# and `bias` is `(u,)`. Return the new state, `(n, u)`.
#
# With `x = [[1, 0]]`, `h = [[0.5]]`, `kernel = [[1], [2]]`, `recurrent = [[-1]]` and `bias = [0.5]`:
# tanh(1 * 1 + 0 * 2 - 0.5 + 0.5) = tanh(1), so the result is `[[0.762]]`.
#
# <details><summary>Hint</summary>
#
# `@` is the product of matrices: `(n, f) @ (f, u)` is `(n, u)`. Three parts are added; `np.tanh` comes last.
# </details>


# %% tags=["exercise:rnn_step"]
def rnn_step(x, h, kernel, recurrent, bias):
    """Return the new state (n, u) from the input (n, f) and the old state (n, u)."""
    ### BEGIN SOLUTION
    return np.tanh(x @ kernel + h @ recurrent + bias)
    ### END SOLUTION


# %% tags=["check:rnn_step", "nbval-check-output"]
check.rnn_step(rnn_step)

# %% [markdown]
# In Keras, `SimpleRNN` is this cell with a loop around it. You choose what it returns. Here are the
# shapes for two sequences and four units:

# %%
import keras
from keras import layers

keras.utils.set_random_seed(7)
batch = np.random.default_rng(7).normal(size=(2, 5, 3)).astype("float32")  # 2 sequences, 5 steps
print("last state only:", layers.SimpleRNN(4)(batch).shape)
print("all states:     ", layers.SimpleRNN(4, return_sequences=True)(batch).shape)
repeated = layers.RepeatVector(6)(batch[:, 0])
print("from one vector:", layers.SimpleRNN(4, return_sequences=True)(repeated).shape)

# %% [markdown]
# | | for example | in Keras |
# |---|---|---|
# | **many to one** | What is this person doing? | the last state, then `Dense` |
# | **many to many** | one answer at each step | `return_sequences=True`, then `Dense` |
# | **one to many** | a melody from its first note | `RepeatVector`, or each output is the next input |

# %% [markdown]
# ## Sequences of different lengths
#
# One person's recording has 3 steps, another's 5. Arrays are rectangular, so the short one is
# filled up (**padding**), and a **mask** says which steps are real. (It has nothing to do with the
# masks of lab 06.) Where the mask is False nothing has happened: the state must stay as it was.

# %% [markdown]
# ### Exercise 2: unroll
#
# Write `unroll(step, x, h, mask)`. `step(x_t, h)` returns the new states of all sequences, for
# example `lambda x, h: rnn_step(x, h, kernel, recurrent, bias)`. `x` is `(n, steps, f)`, `h` is the
# state before the first step, `(n, u)`, and `mask` is `(n, steps)`, True where there is an input.
# Call `step` once for each step, with all sequences together. Return the states after each step,
# `(n, steps, u)`. Where the mask is False a sequence keeps its state, whatever stands in `x`.
#
# With the step `lambda x, h: h + x` (it adds up), `x = [[[1], [2], [3]], [[4], [9], [9]]]`, `h = [[0],
# [0]]` and `mask = [[True, True, True], [True, False, False]]` the result is
# `[[[1], [3], [6]], [[4], [4], [4]]]`.
#
# <details><summary>Hint 1</summary>
#
# Loop over the steps, not over the sequences: `x[:, t]` is the input of all sequences at step `t`.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.where(mask[:, t, None], new, h)` takes `new` where the mask is True and `h` elsewhere. Collect the
# states in a list; `np.stack(states, axis=1)` puts the steps into the second place.
# </details>


# %% tags=["exercise:unroll"]
def unroll(step, x, h, mask):
    """Return the states after each step, (n, steps, u); a masked step leaves the state as it is."""
    ### BEGIN SOLUTION
    states = []
    for t in range(x.shape[1]):
        h = np.where(mask[:, t, None], step(x[:, t], h), h)
        states.append(h)
    return np.stack(states, axis=1)
    ### END SOLUTION


# %% tags=["check:unroll", "nbval-check-output"]
check.unroll(unroll)

# %% [markdown]
# In Keras a layer `Masking` finds the padded steps (all inputs equal to a value that never occurs
# otherwise, here -9) and tells the layers after it. Below is the last state of one sequence, first
# as it is, then filled up to 50 steps and with a mask. The last two lines are both sequences,
# filled up but without a mask:

# %%
rnn = layers.SimpleRNN(4)
padded = np.full((2, 50, 3), -9, "float32")
padded[:, :5] = batch
to_numpy = keras.ops.convert_to_numpy
print("as it is:            ", to_numpy(rnn(batch))[0].round(3))
print("padded, with mask:   ", to_numpy(rnn(layers.Masking(-9)(padded)))[0].round(3))
for row in to_numpy(rnn(padded)):
    print("padded, without mask:", row.round(3))

# %% [markdown]
# With the mask the padding changes nothing. Without it the network reads 45 steps of nonsense after the
# 5 real ones, and both sequences end in the same state: it has forgotten them.

# %% [markdown]
# ## The gradient through time
#
# To learn that the *first* step decides about the answer, the gradient has to come back from the last
# step to the first (**backpropagation through time**). By the chain rule it passes through each step
# in between, and is multiplied by a matrix each time: the derivatives of the new state with respect
# to the old one. With a single unit it is a single number. Multiply it by itself:

# %%
for factor in [0.5, 0.9, 1.0, 1.1, 2.0]:
    print(f"{factor} to the power of 10: {factor**10:9.2g}   of 200: {factor**200:9.2g}")

# %% [markdown]
# Slightly below 1, and nothing arrives: the gradient **vanishes**. Slightly above, and it
# **explodes**. Now for cells with 32 units. `jacobian` changes each number of the state a little,
# and looks at what that does to the new state. This gives the matrix of one step; the product of
# these matrices is what a gradient meets on its way. `gradient_norm` measures how large that
# product is: 1 if it passes every gradient on as it is, less if gradients become smaller, more if
# they grow.


# %%
def jacobian(cell, x, states, change=1e-3):
    """Return the derivative of a cell's new state (s,) with respect to its old one, (s, s)."""
    state = np.concatenate(states, axis=1)
    sizes = np.cumsum([part.shape[1] for part in states])[:-1]
    changed = state + change * np.eye(state.shape[1])
    batch = np.concatenate([state, changed]).astype("float32")
    parts = np.split(batch, sizes, axis=1)
    _, new = cell(np.repeat(x, len(batch), axis=0), parts)
    new = np.concatenate([keras.ops.convert_to_numpy(part) for part in new], axis=1)
    return (new[1:] - new[0]).astype(float) / change, np.split(new[:1], sizes, axis=1)


def gradient_norm(cell, inputs, units=32):
    """Return how much of a gradient is left 1, 2, ... steps back, for inputs (steps, 1, f)."""
    parts = 2 if isinstance(cell, layers.LSTMCell) else 1
    states = [np.zeros((1, units), "float32")] * parts
    product, norms = np.eye(parts * units), []
    for x in inputs:
        matrix, states = jacobian(cell, x, states)
        product = product @ matrix
        norms.append(np.linalg.norm(product) / np.sqrt(parts * units))
    return np.array(norms)


# %% [markdown]
# ### Exercise 3: what is left?
#
# Four cells read one symbol and then 199 steps of silence (all inputs zero). How much of the
# gradient is left, 200 steps back? 1 means all of it.
#
# - `"tanh, small weights"`: random numbers for $U$, so small that a state shrinks to about a half
#   at each step,
# - `"tanh, large weights"`: random numbers so large that a small state grows to about three times
#   its size at each step,
# - `"ReLU, identity"`: ReLU in place of tanh, and $U$ begins as the identity matrix: the new state
#   is the old one, plus the input,
# - `"LSTM"`: the cell that you will write below. It has a memory, of which it keeps a share at each
#   step, 0.73 to begin with.
#
# Before you go on, set `keeps` to the name of the cell whose value is nearest to 1, on a
# scale of powers of ten (there 0.01 and 100 are equally far from 1).
#
# <details><summary>Hint</summary>
#
# What is 0.5 to the power of 200? 3 to the power of 200? 0.73? And 1?
# </details>

# %% tags=["exercise:keeps"]
keeps = None
### BEGIN SOLUTION
keeps = "ReLU, identity"
### END SOLUTION


# %%
def random_weights(growth, units=32):
    """Return the initializer of random recurrent weights that let small states grow by a factor."""
    return keras.initializers.RandomNormal(stddev=growth / np.sqrt(units))


keras.utils.set_random_seed(7)
cells = {
    "tanh, small weights": layers.SimpleRNNCell(32, recurrent_initializer=random_weights(0.5)),
    "tanh, large weights": layers.SimpleRNNCell(32, recurrent_initializer=random_weights(3)),
    "ReLU, identity": layers.SimpleRNNCell(32, "relu", recurrent_initializer="identity"),
    "LSTM": layers.LSTMCell(32),
}

# %% [markdown]
# Look at the slopes in the figure, and at where each line ends. A step of 10 on the vertical axis
# is a factor of $10^{10}$. (The LSTM has 64 numbers as its state, not 32: 32 of them are its
# memory.)

# %%
silence = np.zeros((200, 1, 4), "float32")
silence[0] = np.random.default_rng(7).normal(size=4)  # after one symbol
norms = {}
for name, cell in cells.items():
    norms[name] = gradient_norm(cell, silence)
    print(f"{name:20} 200 steps back {norms[name][-1]:.1e} of it is left")


# %%
def show_norms(norms, label, alt):
    """Show values at 200 steps, one line for each, {name: (200,)}."""
    figure, axis = plt.subplots(figsize=(7.5, 3.6))
    for (name, values), style in zip(norms.items(), ["-", "--", "-.", ":"], strict=True):
        axis.plot(np.arange(1, 201), values, ls=style, label=name)
    axis.set(xlabel="steps back", ylabel=label)
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    plots.show(figure, alt=alt)


show_norms(
    {name: np.log10(np.maximum(values, 1e-75)) for name, values in norms.items()},
    "log10 of the share of the gradient left",
    alt="What is left of the gradient against the steps back, for four cells: small weights fall "
    "steeply, large ones rise steeply, the LSTM falls slowly, the identity stays level.",
)

# %% tags=["check:keeps"]
check.keeps(keeps, norms)

# %% [markdown]
# A straight line on this axis is a power, as in the list of powers above: each step multiplies by
# the same factor. With small weights nothing is left to learn from. (It falls a little less steeply
# than 0.5: what fades most slowly is what remains.) With large weights the line wiggles, since tanh
# flattens large states, but the gradient grows without end, and one training step changes the
# weights beyond repair. (Pascanu et al. 2013 work out both.) The identity (Le et al. 2015) passes
# on all that it receives; what is missing was lost in the first step, in units that ReLU had set to
# zero. Before training it doesn't forget, either: whatever comes in stays there.
#
# The LSTM loses about the same share at each step, less than 27 %, because a part of the gradient
# takes another way than through the memory. It will be able to learn both, to keep and to forget.

# %% [markdown]
# ## Clipping
#
# Against the exploding gradient there is a simple remedy: make it shorter when it is too long. The
# direction stays, since *all* weights' gradients are multiplied by the same factor.

# %% [markdown]
# ### Exercise 4: clip
#
# Write `clip(gradients, limit)`. `gradients` is a list of arrays of different shapes, one for each
# weight of a network. Their common norm is the root of the sum of *all* their squares. If it is
# larger than `limit`, multiply each array by `limit` / norm; otherwise leave them as they are.
# Return a list of new arrays; the given ones stay as they are.
#
# With `gradients = [[3, 0], [[4]]]` (as arrays) and `limit = 1` the norm is 5, and the result is
# `[[0.6, 0], [[0.8]]]`. With `limit = 10` nothing changes.
#
# <details><summary>Hint</summary>
#
# First add up `np.sum(g**2)` over the arrays in the list. The root is taken once, at the end.
# </details>


# %% tags=["exercise:clip"]
def clip(gradients, limit):
    """Return the arrays, all made shorter by one factor if their common norm exceeds the limit."""
    ### BEGIN SOLUTION
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    factor = limit / norm if norm > limit else 1.0
    return [factor * g for g in gradients]
    ### END SOLUTION


# %% tags=["check:clip", "nbval-check-output"]
check.clip(clip)

# %% [markdown]
# The optimizers of Keras do it with `global_clipnorm=1.0`; we switch it on in every recurrent
# network below. Clipping saves you from explosions. It does nothing against vanishing: a gradient
# that is almost zero has no reliable direction any more, however long you make it.

# %% [markdown]
# ## Gates: the LSTM
#
# Hochreiter and Schmidhuber (1997) gave the cell a second state, the **memory** $c$, which isn't
# multiplied by a matrix at every step. What goes into it and what shows of it is decided by
# **gates**: numbers between 0 and 1 that the cell sets anew at each step, looking at the input and
# at its state $h$. Gers, Schmidhuber and Cummins (2000) added a gate that forgets:
#
# $$\begin{aligned}
# i &= \sigma(x W_i + h U_i + b_i) && \text{input gate: how much of the new goes in}\\
# f &= \sigma(x W_f + h U_f + b_f) && \text{forget gate: how much of the old stays}\\
# g &= \tanh(x W_g + h U_g + b_g) && \text{the new}\\
# o &= \sigma(x W_o + h U_o + b_o) && \text{output gate: how much shows}\\
# c' &= f \cdot c + i \cdot g, \qquad h' = o \cdot \tanh(c')
# \end{aligned}$$
#
# Here $\sigma$ is the sigmoid, and $c'$ and $h'$ are the *new* memory and state, not derivatives.
# Products between gates and states are number by number. Where $f$ is 1 and $i$ is 0 the memory
# stays as it is. On its direct way back from $c'$ to $c$ the gradient is multiplied by $f$ alone,
# not by a matrix.
#
# A memory by itself: a 1 comes in, nine tenths of it stay at each step, until the forget gate
# closes.

# %%
c = 0.0
for x, forget in [(1, 0.9), (0, 0.9), (0, 0.9), (0, 0.0), (0, 0.9)]:
    c = forget * c + x
    print(f"new {x}, forget gate {forget}: memory {c:.2f}")

# %% [markdown]
# ### Exercise 5: the LSTM
#
# Write `lstm_step(x, h, c, kernel, recurrent, bias)`. `x` is `(n, f)`, `h` and `c` are `(n, u)`. Keras
# keeps the weights of the four parts side by side, in the order **i, f, g, o**: `kernel` is `(f, 4u)`,
# `recurrent` is `(u, 4u)`, `bias` is `(4u,)`. Return the pair `(h', c')`, each `(n, u)`.
#
# With all weights and biases 0 every gate is 0.5 and the new is 0: `h = [[0.3]]` and `c = [[2]]` then
# give `c' = [[1]]` and `h' = [[0.5 tanh(1)]] = [[0.381]]`.
#
# <details><summary>Hint 1</summary>
#
# Compute `x @ kernel + h @ recurrent + bias` once, `(n, 4u)`, and cut it into four: `i, f, g, o =
# np.split(z, 4, axis=1)`. The functions come after the cut, since g has another one.
# </details>
# <details><summary>Hint 2</summary>
#
# `scipy.special.expit` is the sigmoid, and safe for large numbers.
# </details>

# %%
from scipy.special import expit as sigmoid

print(sigmoid(np.array([-1000, 0, 1, 1000])))


# %% tags=["exercise:lstm_step"]
def lstm_step(x, h, c, kernel, recurrent, bias):
    """Return the new state and the new memory, (n, u) each; the parts are in the order i, f, g, o."""
    ### BEGIN SOLUTION
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
    ### END SOLUTION


# %% tags=["check:lstm_step", "nbval-check-output"]
check.lstm_step(lstm_step)

# %% [markdown]
# ## Fewer gates: the GRU
#
# The **gated recurrent unit** (Cho et al. 2014) manages with one state and two gates. One and the same
# gate $z$ decides how much of the old stays and, with $1 - z$, how much of the new goes in:
#
# $$\begin{aligned}
# z &= \sigma(x W_z + b_z + h U_z + b'_z) && \text{update gate: how much of the old stays}\\
# r &= \sigma(x W_r + b_r + h U_r + b'_r) && \text{reset gate: how much of the old the new sees}\\
# g &= \tanh(x W_g + b_g + r \cdot (h U_g + b'_g)) && \text{the new}\\
# h' &= z \cdot h + (1 - z) \cdot g
# \end{aligned}$$
#
# Two traps. There are **two** biases, one beside $xW$ and one beside $hU$: for $z$ and $r$ only
# their sum matters, but in $g$ the reset gate multiplies the second one. And in the paper, $r$
# multiplies $h$ *before* the product with $U_g$. Keras does it after (`reset_after=True`), because
# GPUs compute that faster.

# %% [markdown]
# ### Exercise 6: the GRU
#
# Write `gru_step(x, h, kernel, recurrent, bias)` as above. The parts stand side by side in the order
# **z, r, g**: `kernel` is `(f, 3u)`, `recurrent` is `(u, 3u)`; `bias` is `(2, 3u)`, and its first row
# ($b$) belongs to $xW$, its second ($b'$) to $hU$. Return $h'$, `(n, u)`.
#
# With all weights and biases 0, z and r are 0.5 and the new is 0: `h = [[2]]` becomes `[[1]]`.
#
# <details><summary>Hint</summary>
#
# Compute `a = x @ kernel + bias[0]` and `b = h @ recurrent + bias[1]`, cut both into three, and put
# them together part by part.
# </details>


# %% tags=["exercise:gru_step"]
def gru_step(x, h, kernel, recurrent, bias):
    """Return the new state (n, u); the parts are in the order z, r, g, the biases (2, 3u)."""
    ### BEGIN SOLUTION
    z_x, r_x, g_x = np.split(x @ kernel + bias[0], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ recurrent + bias[1], 3, axis=1)
    z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
    g = np.tanh(g_x + r * g_h)
    return z * h + (1 - z) * g
    ### END SOLUTION


# %% tags=["check:gru_step", "nbval-check-output"]
check.gru_step(gru_step)

# %% [markdown]
# What do the gates cost? Count for 10 units and 3 inputs. A SimpleRNN has 3 x 10 + 10 x 10 + 10
# numbers, the LSTM four times that. Why is the GRU not just three times a SimpleRNN?

# %% tags=["nbval-check-output"]
for layer in [layers.SimpleRNN(10), layers.GRU(10), layers.LSTM(10)]:
    layer.build((None, None, 3))
    print(f"{layer.__class__.__name__:10} {layer.count_params()} parameters")

# %% [markdown]
# <details><summary>Think, then open</summary>
#
# It has two biases: 3 x (30 + 100 + 10 + 10) = 450. Counts in older books lack the second one.
# </details>

# %% [markdown]
# ## Who remembers the first symbol?
#
# A task made for memory. The first symbol is one of four. After it come other symbols that mean
# nothing, and at the end the network has to say what the first was. Guessing is right in a quarter of
# the cases. The task needs no arithmetic, only a memory, for 10, 30 or 150 steps.


# %%
def recall_task(n, steps, rng):
    """Return sequences of symbols, one-hot (n, steps, 8), and the first symbol of each (n,)."""
    symbols = rng.integers(4, 8, (n, steps))
    symbols[:, 0] = rng.integers(0, 4, n)
    return np.eye(8, dtype="float32")[symbols], symbols[:, 0]


def reader(layer):
    """Return a compiled network that reads symbols and answers with one of four."""
    model = keras.Sequential([keras.Input((None, 8)), layer, layers.Dense(4, activation="softmax")])
    optimizer = keras.optimizers.Adam(3e-3, global_clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# You saw that the LSTM of Keras begins by keeping 0.73 of its memory at each step, since its forget
# gates have the bias 1 (Jozefowicz et al. 2015). That is too little for 150 steps. But a bias can
# begin at another value. With $\log T$ the gate begins at $T / (T + 1)$, and more than a third of
# the memory is left even after T steps. With $-\log T$ the input gate lets in little at a time, so
# that the many other symbols don't bury the first. (It is a simple form of what Tallec and Ollivier
# 2018 propose.) We call this a **long memory**. The biases stand side by side in the order i, f, g,
# o, and those of the GRU in the order z, r, g.


# %%
def lengthen_memory(layer, steps):
    """Set the gates of a layer that is built so that it begins by remembering so many steps."""
    kernel, recurrent, bias = layer.get_weights()
    if isinstance(layer, layers.LSTM):
        bias[: layer.units] = -np.log(steps)
        bias[layer.units : 2 * layer.units] = np.log(steps)
    else:  # z keeps the old and lets in 1 - z of the new
        bias[0, : layer.units] = np.log(steps)
    layer.set_weights([kernel, recurrent, bias])


# %% [markdown]
# Twelve short trainings take a minute or more: four networks, three lengths each. Before you look:
# which networks will manage 150 steps?

# %%
readers = {
    "SimpleRNN": layers.SimpleRNN,
    "LSTM": layers.LSTM,
    "LSTM, long memory": layers.LSTM,
    "GRU, long memory": layers.GRU,
}
lengths = [10, 30, 150]
runs = [(name, steps) for name in readers for steps in lengths]

# %%
recalled = {}
for name, steps in training.track(runs):
    keras.utils.set_random_seed(7)
    rng, layer = np.random.default_rng(7), readers[name](32)
    model = reader(layer)
    if "long" in name:
        lengthen_memory(layer, steps)
    model.fit(*recall_task(1500, steps, rng), batch_size=50, epochs=8, verbose=0)
    recalled[name, steps] = model.evaluate(*recall_task(1000, steps, rng), verbose=0)[1]

# %%
figure, axis = plt.subplots(figsize=(6, 3.2))
for place, (name, hatch) in enumerate(zip(readers, ["", "//", "..", "xx"], strict=True)):
    heights = [recalled[name, steps] for steps in lengths]
    axis.bar(np.arange(3) + 0.2 * place - 0.3, heights, 0.18, label=name, hatch=hatch)
axis.axhline(0.25, color="black", ls="--", label="guessing")
axis.set(xlabel="steps to remember", ylabel="first symbol recalled (share)", ylim=(0, 1.05))
axis.set_xticks(range(3), lengths)
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plots.show(
    figure,
    alt="Share of first symbols recalled after 10, 30 and 150 steps by four networks: after 150 steps "
    "only those with a long memory are far above guessing.",
)
for name in readers:
    print(f"{name:18}", *(f"{recalled[name, steps]:7.2f}" for steps in lengths))

# %% [markdown]
# Over 10 steps all can do it. Over 150 steps neither the SimpleRNN can do it, nor the LSTM as Keras
# sets it up: its gates *could* hold the memory, but in this short training they never learn to,
# since hardly any gradient tells them. With a long memory LSTM and GRU recall the symbol.
#
# Are you surprised by the SimpleRNN, which does no worse than the LSTM over 30 steps? Let's look at
# the gradients of the four networks again, before any training, but with the symbols of the task
# coming in.

# %%
symbols, _ = recall_task(1, 200, np.random.default_rng(7))
left = {}
for name in readers:
    keras.utils.set_random_seed(7)
    layer = readers[name](32)
    layer.build((None, None, 8))
    if "long" in name:
        lengthen_memory(layer, 200)
    left[name] = gradient_norm(layer.cell, symbols.swapaxes(0, 1))
    print(f"{name:18} 30 steps back {left[name][29]:.0e}, 150 steps back {left[name][149]:.0e}")

# %%
show_norms(
    {name: np.log10(values) for name, values in left.items()},
    "log10 of the share of the gradient left",
    alt="Gradients of the four networks against the steps back: those with a long memory stay nearly "
    "level, SimpleRNN and LSTM fall steeply and close together.",
)

# %% [markdown]
# The gradient of the SimpleRNN fades no faster than that of the LSTM. Keras begins its $U$ as an
# orthogonal matrix (a rotation or a reflection), which keeps lengths: a relative of the identity.
# Only the tanh takes something away. With a long memory a good part of the gradient comes through
# all 200 steps, whatever comes in. Gates are worth as much as the memory that they begin with, or
# have had time to learn.

# %%
check.reached("share recalled over 150 steps", recalled["LSTM, long memory", 150], at_least=0.9)

# %% [markdown]
# ## When the future is known
#
# The task: clean a noisy recording. At each step there is a measurement with an error about as
# large as the signal itself, and the network should say what the true value is. This is many to
# many. A recurrent network knows the past at each step. If the recording is complete, why not read
# it backward as well? A **bidirectional** layer holds two: one reads forward, one backward, and
# their states are put side by side.


# %%
def noisy(n, steps, rng):
    """Return measurements of slowly changing signals and the true signals, (n, steps, 1) each."""
    signal = np.zeros((n, steps, 1), "float32")
    for t in range(1, steps):
        signal[:, t] = 0.95 * signal[:, t - 1] + 0.31 * rng.normal(size=(n, 1))
    return signal + rng.normal(size=signal.shape).astype("float32"), signal


rng = np.random.default_rng(7)
(x_noisy, signal), (x_new, signal_new) = noisy(1000, 60, rng), noisy(500, 60, rng)

# %% [markdown]
# The bidirectional layer gets half the units in each direction, so that it doesn't have more
# weights. The error is the root of the mean squared difference from the true signal. Which is
# smaller? The two trainings take about ten seconds.

# %%
directions = {
    "forward": layers.GRU(16, return_sequences=True),
    "both ways": layers.Bidirectional(layers.GRU(8, return_sequences=True)),
}
print(f"error of the measurements: {np.sqrt(np.mean((x_new - signal_new) ** 2)):.3f}")
for name, layer in training.track(directions.items()):
    model = keras.Sequential([keras.Input((None, 1)), layer, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01, global_clipnorm=1.0), "mse")
    model.fit(x_noisy, signal, batch_size=50, epochs=8, verbose=0)
    error = model.evaluate(x_new, signal_new, verbose=0) ** 0.5
    print(f"{name:9} {model.count_params():4} parameters, error {error:.3f}")

# %% [markdown]
# Both remove a large part of the error; the one that knows the future is better, with fewer weights.
# But in a **forecast** the future isn't there. If tomorrow is to be forecast, no layer may read
# tomorrow. The past may be read in both directions.
#
# Recurrent layers can also be stacked, one on the states of the other. Each but the last then needs
# `return_sequences=True`, since the next one reads a sequence, too.

# %% [markdown]
# ## What is this person doing?
#
# A phone on the belt measures acceleration along three axes x, y, z and the rate of rotation about
# them in rad/s, 50 times a second: six numbers at each step. The unit of acceleration is g: a phone
# at rest measures 1 g, because gravity is included. Recordings of 30 people, real or made (see the
# line below), are cut into windows of 128 steps, 2.56 seconds. As long as somebody does the same
# thing, each window overlaps the next by half. What were they doing?

# %%
activity = data.activity()
print(
    f"{len(activity.x)} windows, shape {activity.x.shape[1:]}, {len(set(activity.person))} people"
)
for k, name in enumerate(activity.names):
    print(f"{k} {name:18} {np.sum(activity.y == k)} windows")

# %%
figure, axes = plt.subplots(2, 3, figsize=(9, 4), sharex=True, sharey=True, layout="constrained")
seconds = np.arange(128) / activity.rate
for k, axis in enumerate(axes.flat):
    window = activity.x[(activity.person == activity.person[0]) & (activity.y == k)][3]
    for values, name, style in zip(window.T, "xyz", ["-", "--", ":"], strict=False):
        axis.plot(seconds, values, style, label=name)
    axis.set_title(activity.names[k])
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right upper", title="axis")
figure.supxlabel("time (s)")
figure.supylabel("acceleration (g)")
plots.show(
    figure,
    alt="Acceleration along three axes for one person: walking and stairs swing with the steps, "
    "sitting and standing are nearly flat and alike, in lying gravity is on another axis.",
)

# %% [markdown]
# (Rotation isn't shown.) Steps are easy to see, and so is whether somebody is lying: then gravity
# is on another axis. Sitting and standing look alike; walking and stairs differ in details. And
# every person walks differently.
#
# So what should the test ask? The phone will be worn by people who weren't among the 30. The test
# must be on people whom the network has never seen.

# %% [markdown]
# ### Exercise 7: split by person
#
# Write `split_by_person(person, test_people)`. The array `person` `(windows,)` holds the number of
# the person for each window, `test_people` is a list of numbers. Return two arrays of the *indices*
# of windows: those for training, and those for the test, which are all windows of the test people.
#
# With `person = [1, 1, 2, 3, 3, 2]` and `test_people = [3]` the result is `[0, 1, 2, 5]` and `[3, 4]`.
#
# <details><summary>Hint</summary>
#
# `np.isin(person, test_people)` is True at the windows of the test people, `~` turns it round, and
# `np.flatnonzero` gives the indices of what is True.
# </details>


# %% tags=["exercise:split_by_person"]
def split_by_person(person, test_people):
    """Return the indices of the windows for training, and of those of the test people."""
    ### BEGIN SOLUTION
    test = np.isin(person, test_people)
    return np.flatnonzero(~test), np.flatnonzero(test)
    ### END SOLUTION


# %% tags=["check:split_by_person", "nbval-check-output"]
check.split_by_person(split_by_person)

# %% [markdown]
# Every fourth person goes into the test.

# %%
people = np.unique(activity.person)
train_windows, test_windows = split_by_person(activity.person, people[::4])
count = len(activity.y[test_windows])
print(f"{len(people[::4])} test people, {count} of {len(activity.y)} windows")

# %% [markdown]
# Four networks will read the windows. A dense one sees 768 numbers side by side. A **1-D
# convolution** (lab 03: a template that slides along a signal; `Conv1D(32, 7)` has 32 of them, 7
# steps long, over all six channels) finds the same pattern at any time; a global average asks how
# often it occurs. The LSTM reads step by step. The last one does both: a convolution with a stride
# of 4 makes the sequence shorter, and an LSTM reads what it found.


# %%
def convolution():
    """Return the layers of a 1-D CNN."""
    stages = []
    for _ in range(3):
        stages += [layers.Conv1D(32, 7, activation="relu"), layers.MaxPooling1D(2)]
    return [*stages[:-1], layers.GlobalAveragePooling1D()]


networks = {
    "dense": lambda: [layers.Flatten(), layers.Dense(64, activation="relu")],
    "1-D CNN": convolution,
    "LSTM": lambda: [layers.LSTM(32)],
    "convolution, LSTM": lambda: [layers.Conv1D(32, 7, 4, activation="relu"), layers.LSTM(32)],
}


# %%
def recognizer(body, x_train):
    """Return a compiled network for windows, with inputs scaled by the mean and spread of x_train."""
    scale = layers.Normalization()
    scale.adapt(x_train)
    head = layers.Dense(len(activity.names), activation="softmax")
    model = keras.Sequential([keras.Input(x_train.shape[1:]), scale, *body, head])
    optimizer = keras.optimizers.Adam(3e-3, global_clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# All of them begin with a layer `Normalization`: `adapt` measures the mean and the spread of each
# channel, on the *training* windows only. The four trainings take about a minute on the real
# recordings, less offline. Which will be quickest, and which best?

# %%
import time

signals, labels = activity.x, activity.y
recognized, models = {}, {}
for name in training.track(networks):
    keras.utils.set_random_seed(7)
    models[name] = model = recognizer(networks[name](), signals[train_windows])
    start = time.perf_counter()
    model.fit(signals[train_windows], labels[train_windows], batch_size=64, epochs=5, verbose=0)
    seconds = time.perf_counter() - start
    recognized[name] = model.evaluate(signals[test_windows], labels[test_windows], verbose=0)[1]
    print(f"{name:18} {model.count_params():6,} parameters {seconds:5.1f} s {recognized[name]:.1%}")

# %% [markdown]
# The CNN is ahead of the dense network, with a third of its weights: it doesn't matter to it when
# in the window a step is taken. The LSTM takes longest, though it has the fewest weights: it has to
# do its 128 steps one after the other, while a convolution handles all places at once. (The seconds
# include the preparation of each network.) For patterns that are short compared with the sequence,
# try a 1-D CNN first; Bai et al. (2018) found convolutions ahead of recurrent networks in many
# tasks.
#
# Does the 1-D CNN work equally well for everyone? And what does it mix up? (Bold numbers on the
# diagonal are right answers; the color shows the mistakes.)

# %%
predicted = models["1-D CNN"].predict(signals[test_windows], verbose=0).argmax(axis=1)
right, who = predicted == labels[test_windows], activity.person[test_windows]
print("accuracy by person:", *(f"{right[who == one].mean():.0%}" for one in people[::4]))
short = ["walk", "up", "down", "sit", "stand", "lie"]
plots.show(
    plots.confusion(labels[test_windows], predicted, short),
    alt="Confusion matrix of six activities for people never seen: most mistakes are between sitting "
    "and standing, or between kinds of walking.",
)

# %% [markdown]
# A network that is right for most people can be wrong rather often for one of them, and eight
# people in a test are few: with others the result would be another one. Standing is easily taken
# for sitting, since a phone at the waist hangs nearly the same way in both.

# %% [markdown]
# ## The wrong split
#
# What if we had simply split the windows at random? The same people are then in training and test,
# and what is more, each test window shares half of its samples with the window before and half with
# the one after, and most of these are in the training part. Compare two methods. The first, a
# **nearest neighbor**, answers with the label of the training window that looks most like this one.
# Nothing shows better what can be learned by heart.

# %%
from sklearn.neighbors import KNeighborsClassifier

shuffled = np.random.default_rng(7).permutation(len(signals))
by_window = shuffled[count:], shuffled[:count]
splits = {"by person": (train_windows, test_windows), "by window": by_window}
flat = signals[:, ::2].reshape(len(signals), -1)  # every second sample will do
for name, (train, held_out) in splits.items():
    nearest = KNeighborsClassifier(1).fit(flat[train], labels[train])
    print(f"nearest neighbor, {name}: {nearest.score(flat[held_out], labels[held_out]):.1%}")

# %% [markdown]
# The second is the 1-D CNN, trained once more: five to ten seconds. Will it look better, too?

# %%
keras.utils.set_random_seed(7)
train, held_out = by_window
model = recognizer(networks["1-D CNN"](), signals[train])
model.fit(
    signals[train], labels[train], batch_size=64, epochs=5, verbose=0, callbacks=training.progress()
)
leaky = model.evaluate(signals[held_out], labels[held_out], verbose=0)[1]
print(f"1-D CNN, by person {recognized['1-D CNN']:.1%}, by window {leaky:.1%}")

# %% [markdown]
# Split by window, the nearest neighbor looks better: it finds the same person, or even a window
# that shares half of its samples. It hasn't become better. The test has become easier, and answers
# a question that nobody asked. The CNN stores no windows, and hardly changes here. But how much you
# deceive yourself you can't know before you have done it right. Whenever measurements belong
# together, by person, by patient, by storm, split by that.

# %%
check.reached("accuracy for new people", recognized["1-D CNN"], at_least=0.85)

# %% [markdown]
# ## A signal as a picture
#
# Radio receivers on the ground and on satellites pick up waves that you can listen to through a
# loudspeaker. **Whistlers** are falling tones: they begin as lightning, and on their way through
# the plasma around the Earth the low frequencies fall behind. **Chorus** is made of mostly rising
# tones, from electrons in the radiation belts (Helliwell 1965). We make similar tones, falling,
# rising and steady, in noise, 8,000 samples a second. Here is one of them. Can you tell which?

# %%
RATE = 8000  # samples per second


def tone(kind, rng):
    """Return 2000 samples (a quarter of a second) of noise with a tone: 0 falling, 1 rising, 2 steady."""
    low, high = rng.uniform(600, 1200), rng.uniform(2000, 3600)
    begin, end = rng.uniform(20, 200), rng.uniform(1000, 1900)
    inside = np.clip((np.arange(2000) - begin) / (end - begin), 0, 1)
    middle = np.sqrt(low * high)
    first, last = [(high, low), (low, high), (middle, middle)][kind]
    # The frequency changes by the same factor each moment; the phase is its sum.
    phase = 2 * np.pi * np.cumsum(first * (last / first) ** inside) / RATE
    return np.sin(phase) * ((inside > 0) & (inside < 1)) + rng.normal(size=2000)


# %%
rng = np.random.default_rng(7)
kinds = rng.integers(0, 3, 900)
tones = np.stack([tone(kind, rng) for kind in kinds]).astype("float32")
figure, axis = plt.subplots(figsize=(8, 1.8))
axis.plot(np.arange(2000) / RATE * 1000, tones[0], lw=0.6)
axis.set(xlabel="time (ms)", ylabel="signal")
plots.show(figure, alt="A quarter of a second of a signal that looks like noise.")

# %% [markdown]
# Cut the signal into short **frames**, and ask for each how strong every frequency is in it. That
# is what the **Fourier transform** tells: it writes a frame as a sum of oscillations. `np.fft.rfft`
# of `size` samples returns a complex number for each of `size // 2 + 1` frequencies, from 0 in
# steps of `RATE / size`; its absolute value is the strength. The result for all frames is an image,
# time in one direction and frequency in the other: a **spectrogram**. Short frames tell the time
# well and the frequency badly, long ones the reverse.

# %% [markdown]
# ### Exercise 8: the spectrogram
#
# Write `spectrogram(signal, size, hop)`. `signal` is `(samples,)`, with at least `size` samples.
# Frame number k has `size` samples and begins at `k * hop`; only whole frames count. Multiply each
# frame by `np.hanning(size)`, which fades it in and out (a hard cut would smear each tone over
# other frequencies), and take the absolute values of `np.fft.rfft`. Return an array
# `(frames, size // 2 + 1)`.
#
# With 10 samples, size 4 and hop 3 there are frames at 0, 3 and 6, and the shape is `(3, 3)`.
#
# <details><summary>Hint</summary>
#
# The last frame must end at the end of the signal or before: its number is at most `(len(signal) - size) // hop`.
# </details>


# %% tags=["exercise:spectrogram"]
def spectrogram(signal, size, hop):
    """Return the strength of each frequency in each frame of a signal, (frames, size // 2 + 1)."""
    ### BEGIN SOLUTION
    starts = range(0, len(signal) - size + 1, hop)
    frames = np.array([signal[start : start + size] for start in starts])
    return np.abs(np.fft.rfft(frames * np.hanning(size)))
    ### END SOLUTION


# %% tags=["check:spectrogram", "nbval-check-output"]
check.spectrogram(spectrogram)

# %% [markdown]
# Pictures of three tones, frames of 64 samples, 8 ms, every 4 ms. We show the logarithm: the ear,
# too, hears ratios of loudness. One of the three is the signal above.

# %%
pictures = np.log(np.stack([spectrogram(signal, 64, 32) for signal in tones]) + 1e-3)
one_of_each = [pictures[kinds == kind][0] for kind in range(3)]
colors = {"cmap": "viridis", "vmin": np.percentile(one_of_each, 1), "vmax": np.max(one_of_each)}
figure, axes = plt.subplots(1, 3, figsize=(8.5, 2.6), sharey=True, layout="constrained")
names = ["falling", "rising", "steady"]
for axis, picture, name in zip(axes, one_of_each, names, strict=True):
    extent = (2, 246, -0.0625, 4.0625)
    shown = axis.imshow(picture.T, origin="lower", aspect="auto", extent=extent, **colors)
    axis.set(title=name, xlabel="time (ms)")
axes[0].set_ylabel("frequency (kHz)")
figure.colorbar(shown, ax=axes, label="strength (log)")
plots.show(
    figure,
    alt="Spectrograms of a falling, a rising and a steady tone: a bright line that goes down, goes "
    "up or stays level in front of noise.",
)

# %% [markdown]
# What was hidden is now a line that anyone can see. Can a CNN for images see it, too? Compare it
# with a dense network and with a 1-D CNN, both of which get the signal itself. There are 600 tones
# for training and 300 for the test; guessing is right in a third of the cases. The three trainings
# take about twenty seconds.


# %%
def image_convolution():
    """Return the layers of a 2-D CNN."""
    stages = []
    for _ in range(3):
        stages += [layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(2)]
    return [*stages[:-1], layers.GlobalAveragePooling2D()]


# %%
images = ((pictures - pictures[:600].mean()) / pictures[:600].std()).astype("float32")[..., None]
listeners = {
    "dense, signal": (tones, networks["dense"]),
    "1-D CNN, signal": (tones[..., None], networks["1-D CNN"]),
    "2-D CNN, picture": (images, image_convolution),
}
heard = {}
for name, (inputs, body) in training.track(listeners.items()):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [keras.Input(inputs.shape[1:]), *body(), layers.Dense(3, activation="softmax")]
    )
    model.compile(
        keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(inputs[:600], kinds[:600], batch_size=32, epochs=12, verbose=0).history
    heard[name] = model.evaluate(inputs[600:], kinds[600:], verbose=0)[1]
    print(f"{name:16} training {history['accuracy'][-1]:.1%}, test {heard[name]:.1%}")

# %% [markdown]
# The dense network knows its 600 signals by heart, and guesses at all others. The 1-D CNN sees 46
# samples, 6 ms, at a time (compute its receptive field as in lab 04), and averages over all places:
# it can find a steady tone, but falling and rising ones hold the same frequencies. A network for
# signals would have to see a longer part at a time to do better. In the picture the same number of
# layers sees many frames at once, and there a slope is visible. What you know about a signal, put
# into its form, saves layers and data.

# %%
check.reached("share of tones recognized", heard["2-D CNN, picture"], at_least=0.9)

# %% [markdown]
# ## Recap
#
# - A recurrent cell makes a new state from an input and its old state, with the same weights at
#   each step. So a sequence may be of any length; a mask keeps padding out.
# - On its way through time a gradient is multiplied at each step: it tends to vanish or to explode.
#   Clipping helps against the second.
# - Gates let a memory, and its gradient, pass nearly unharmed: LSTM and GRU. What their biases
#   begin with decides how far they remember at first.
# - Bidirectional layers need the future. In a forecast they must not have it.
# - For short patterns in a sequence, 1-D convolutions are quicker and often better. A signal whose
#   frequencies matter is best shown as a spectrogram.
# - Split by person, not by window.

# %%
check.score_card()

# %% [markdown]
# ### Go further
#
# - How long can the LSTM with a long memory recall? Try 300 steps. And what if its memory is made for
#   1000 steps, and the task needs 10?
# - Let `recall_task` ask for the *third* symbol. Is it harder?
# - Give each test person a few of their own windows in training. How much does the accuracy for
#   them rise?
# - Make the tones quieter. Where does the 2-D CNN fail, and where do you?
#
# ### References
#
# - S. Bai, J. Z. Kolter and V. Koltun (2018). An empirical evaluation of generic convolutional and
#   recurrent networks for sequence modeling. *arXiv* 1803.01271.
# - K. Cho et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical
#   machine translation. *EMNLP*: the GRU.
# - F. A. Gers, J. Schmidhuber and F. Cummins (2000). Learning to forget: continual prediction with
#   LSTM. *Neural Computation* 12, 2451-2471.
# - R. A. Helliwell (1965). *Whistlers and Related Ionospheric Phenomena*. Stanford University Press.
# - S. Hochreiter and J. Schmidhuber (1997). Long short-term memory. *Neural Computation* 9, 1735-1780.
# - R. Jozefowicz, W. Zaremba and I. Sutskever (2015). An empirical exploration of recurrent network
#   architectures. *ICML*: the bias of the forget gate.
# - Q. V. Le, N. Jaitly and G. E. Hinton (2015). A simple way to initialize recurrent networks of
#   rectified linear units. *arXiv* 1504.00941.
# - R. Pascanu, T. Mikolov and Y. Bengio (2013). On the difficulty of training recurrent neural
#   networks. *ICML*: vanishing, exploding, clipping.
# - J.-L. Reyes-Ortiz et al. (2016). Transition-aware human activity recognition using smartphones.
#   *Neurocomputing* 171, 754-767: the recordings.
# - C. Tallec and Y. Ollivier (2018). Can recurrent neural networks warp time? *ICLR*: biases of gates.
