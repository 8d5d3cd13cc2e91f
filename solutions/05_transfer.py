# %% [markdown]
# # Architectures and transfer learning
#
# Networks for photos were invented one after the other, and each has an idea that you can use. And
# hardly anybody trains one from nothing: you take a network that has seen a million photos, and
# teach it something new with a few dozen. After this lab you will be able to
#
# - say what a convolution costs, in parameters and in multiplications,
# - read the description of an architecture, and build AlexNet from it,
# - write an Inception branch and a residual block, and show why deep networks need the latter,
# - transfer a trained network to a small set of photos in three ways, and avoid four traps,
# - find a group for which a classifier fails, and mend what can be mended.
#
# You need about three hours. The notebook computes for two to four minutes on two CPU
# cores and takes up to 1.4 GB of memory, 1.9 GB with the real photos. The photos: ants and bees, 243
# to learn from, with a network trained on the million photos of ImageNet. Offline: drawn animals of
# five invented species, with a network that was trained on 24 *other* species of the same making.

# %%
import matplotlib.pyplot as plt
import numpy as np

from helpers import backbones, data, plots, training
from helpers.checks import transfer as check

# %% [markdown]
# Here are ten of the photos. In the second half of the lab a network learns to name what they show;
# before that, you see how such networks are built.

# %%
photos = data.species()
classes = len(photos.names)
first = [np.flatnonzero(photos.y_train == label)[: 10 // classes] for label in range(classes)]
picked = np.concatenate(first)
plots.show(
    plots.images(photos.x_train[picked], [photos.names[k] for k in photos.y_train[picked]], 5, 1.5),
    alt="Ten photos of animals with the names of their species: they differ in pose, size, color, "
    "and background.",
)

# %% [markdown]
# No two photos are alike in pose, place and light.

# %% [markdown]
# ## What a layer costs
#
# A convolution with a kernel of 3 x 3 that takes 64 channels and gives 128 has, for each of its 128
# filters, 3 x 3 x 64 weights and one bias. That is its **memory** for the weights (the maps need
# memory, too). Each of these weights is used once at each position of the map. That is its
# **time**. The two are very different things: a layer at the start of a network has few weights and
# a large map; at the end it is the other way round.

# %% [markdown]
# ### Exercise 1: the cost of a convolution
#
# Write `conv_cost(height, width, kernel, inputs, filters)` for a convolution with a kernel of
# `kernel` x `kernel`, stride 1 and padding "same", so that it gives a map of `height` x `width` again.
# `inputs` is the number of channels that come in, `filters` of those that go out. Return two whole
# numbers:
#
# - the **parameters**, with one bias for each filter,
# - the **multiplications** for one image. Each weight is multiplied once at each position; a bias is
#   only added.
#
# An example: a kernel of 3 x 3, one channel in, two filters, on a map of 4 x 5. There are
# 3 x 3 x 1 x 2 = 18 weights and 2 biases, so 20 parameters; and 18 weights at 20 positions make 360
# multiplications: `conv_cost(4, 5, 3, 1, 2)` is `(20, 360)`.
#
# <details><summary>Hint</summary>
#
# First the number of weights, without the biases. Both results follow from it.
# </details>


# %% tags=["exercise:conv_cost"]
def conv_cost(height, width, kernel, inputs, filters):
    """Return the parameters of a convolution and its multiplications for one image."""
    ### BEGIN SOLUTION
    weights = kernel * kernel * inputs * filters
    return weights + filters, weights * height * width
    ### END SOLUTION


# %% tags=["check:conv_cost", "nbval-check-output"]
check.conv_cost(conv_cost)

# %% [markdown]
# ## AlexNet, layer by layer
#
# In 2012 one network made all others look old: AlexNet (Krizhevsky et al.) classified photos into
# 1,000 classes, and was wrong far less often than anything before. It has five convolutions and
# three dense layers. We only want its *shapes*, and the 62 million weights would take 250 MB. Within
# a `StatelessScope` Keras doesn't make them. `blueprint(make, ...)` calls `make(...)` in such a scope
# and gives a model that has shapes and counts, but nothing to compute with.


# %%
import keras
from keras import layers

keras.utils.set_random_seed(5)


def blueprint(make, *arguments, **settings):
    """Return the model that `make(...)` builds, without memory for its weights."""
    with keras.StatelessScope(initialize_variables=False):
        return make(*arguments, **settings)


# %% [markdown]
# ### Exercise 2: AlexNet
#
# Here are its convolutions, poolings and dense layers (the paper has local response normalization
# and dropout besides). All convolutions and all dense layers but the last have
# `activation="relu"`, the last has `"softmax"`. The original was split over two graphics cards; we
# build one tower. The paper's images of 224 x 224 don't fit its own layers, so we take 227 x 227,
# as most do.
#
# | layer | | output |
# |---|---|---|
# | input | | 227 x 227 x 3 |
# | convolution | 11 x 11, 96 filters | 55 x 55 x 96 |
# | max pooling | 3 x 3 | 27 x 27 x 96 |
# | convolution | 5 x 5, 256 filters | 27 x 27 x 256 |
# | max pooling | 3 x 3 | 13 x 13 x 256 |
# | convolution | 3 x 3, 384 filters | 13 x 13 x 384 |
# | convolution | 3 x 3, 384 filters | 13 x 13 x 384 |
# | convolution | 3 x 3, 256 filters | 13 x 13 x 256 |
# | max pooling | 3 x 3 | 6 x 6 x 256 |
# | flatten, dense | 4096 units | 4096 |
# | dense | 4096 units | 4096 |
# | dense | 1000 units | 1000 |
#
# The **strides** and the **padding** aren't in the table: find them from the shapes. Lab 04 has the
# two formulas, `(n - size) // stride + 1` for "valid" and `n / stride`, rounded up, for "same". A
# stride of 1 and "valid" are Keras's defaults for a convolution; a pooling's default stride is its
# size. Write into `alexnet` the model, as
# `blueprint(keras.Sequential, [keras.Input((227, 227, 3)), ...])`; mind the comma after
# `keras.Sequential`.
#
# <details><summary>Hint 1</summary>
#
# The first convolution: (227 - 11) // s + 1 is 55. Which s? The poolings: (55 - 3) // s + 1 is 27. The windows
# overlap.
# </details>
# <details><summary>Hint 2</summary>
#
# The second line is `layers.Conv2D(96, 11, strides=..., activation="relu")`, the third
# `layers.MaxPooling2D(3, strides=...)`. Where the side stays the same, the padding is "same".
# </details>

# %% tags=["exercise:alexnet"]
alexnet = None
### BEGIN SOLUTION
alexnet = blueprint(
    keras.Sequential,
    [
        keras.Input((227, 227, 3)),
        layers.Conv2D(96, 11, strides=4, activation="relu"),
        layers.MaxPooling2D(3, strides=2),
        layers.Conv2D(256, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(3, strides=2),
        layers.Conv2D(384, 3, padding="same", activation="relu"),
        layers.Conv2D(384, 3, padding="same", activation="relu"),
        layers.Conv2D(256, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(3, strides=2),
        layers.Flatten(),
        layers.Dense(4096, activation="relu"),
        layers.Dense(4096, activation="relu"),
        layers.Dense(1000, activation="softmax"),
    ],
)
### END SOLUTION

# %% tags=["check:alexnet:2", "nbval-check-output"]
check.alexnet(alexnet)

# %% [markdown]
# Where are the parameters, and where is the work? `multiplications` does for any layer what you did
# for one: the weights of a convolution count once for each position of its output. We look at
# **VGG-16** (Simonyan and Zisserman 2014), which took AlexNet's plan and made it regular: 3 x 3
# everywhere, and, up to 512, twice the channels whenever pooling halves the map. Before you run it:
# which layer has most of the parameters, and which layers most of the work?


# %%
def multiplications(layer):
    """Return how often a convolution or a dense layer multiplies for one image; 0 for others."""
    if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        _, height, width, _ = layer.output.shape
        return int(np.prod(layer.kernel.shape)) * height * width
    return int(np.prod(layer.kernel.shape)) if isinstance(layer, layers.Dense) else 0


# %%
vgg = blueprint(keras.applications.VGG16, weights=None)
parameters, work = vgg.count_params(), sum(map(multiplications, vgg.layers))
print(f"{'layer':13}{'output':>15}  share of parameters  share of work")
for layer in vgg.layers:
    if layer.weights:
        shape = " x ".join(map(str, layer.output.shape[1:]))
        shares = f"{layer.count_params() / parameters:21.1%}{multiplications(layer) / work:15.1%}"
        print(f"{layer.name:13}{shape:>15}{shares}")

# %% [markdown]
# Nearly all of the work is done by the convolutions, on large maps; three quarters of the
# parameters sit in *one* dense layer, the first after the flattening, which connects each of 7 x 7
# x 512 numbers with each of 4,096 units. Later networks replaced it by a global average (lab 04),
# and most of their parameters were gone.

# %% [markdown]
# ## Six famous networks
#
# Now count them all. Their accuracy on ImageNet (the share of validation photos for which the first
# of 1,000 answers is right) can't be measured here: it is published, for AlexNet in its paper (one
# network, 40.7 % wrong), for the others in the documentation of
# [Keras](https://keras.io/api/applications). What would you expect: are more parameters better? Is
# more work?

# %%
applications = keras.applications
networks = {
    "AlexNet": (lambda weights: alexnet, 59.3),
    "VGG-16": (applications.VGG16, 71.3),
    "Inception-v3": (applications.InceptionV3, 77.9),
    "ResNet-50": (applications.ResNet50, 74.9),
    "ResNet-152": (applications.ResNet152, 76.6),
    "MobileNetV2": (applications.MobileNetV2, 71.3),
}
costs = {}
print("network         image   parameters  multiplications  published accuracy")
for name, (make, accuracy) in networks.items():
    model = blueprint(make, weights=None)
    work = sum(map(multiplications, model.layers))
    costs[name] = (model.count_params(), work, accuracy)
    print(f"{name:12}{model.input_shape[1]:9}{costs[name][0]:13,}{work:17,}{accuracy:18} %")

# %% [markdown]
# The same as a figure. The area of a circle stands for the parameters. The best place is the upper left
# corner.

# %%
figure, axis = plt.subplots(figsize=(7, 3.8))
for name, (parameters, work, accuracy) in costs.items():
    axis.scatter(work / 1e9, accuracy, s=parameters / 1e5, color=plots.BLUE, alpha=0.4)
    clear = 8 + np.sqrt(parameters / 1e5) / 2  # points, from the center of the circle
    offset, across, up = {  # where the label would meet no other circle
        "ResNet-152": ((clear, 0), "left", "center"),
        "VGG-16": ((clear, 0), "left", "center"),
        "ResNet-50": ((0, -clear), "center", "top"),
    }.get(name, ((0, clear), "center", "bottom"))
    axis.annotate(
        name, (work / 1e9, accuracy), offset, textcoords="offset points", ha=across, va=up
    )
axis.set(xscale="log", xlabel="multiplications for one image (billions)", xlim=(0.15, 60))
ticks = (0.3, 1, 3, 10)
axis.set(xticks=ticks, xticklabels=ticks)
axis.minorticks_off()
axis.set(ylabel="published accuracy, first answer right (%)", ylim=(54, 83))
plots.show(
    figure,
    alt="Accuracy against multiplications on a log scale, circles with the area of the parameters. "
    "AlexNet is lowest; VGG-16 has the largest circle and lies far right; Inception-v3 is highest "
    "with a small circle; MobileNetV2 lies far left, as high as VGG-16, with the smallest circle.",
)

# %% [markdown]
# Neither the parameters nor the work decide. MobileNetV2 (Sandler et al. 2018) equals VGG-16 with a
# fortieth of its parameters, and Inception-v3 (Szegedy et al. 2016) beats VGG-16 with a sixth of its
# parameters (on larger images). What counts is how a network is built, and how it was trained. Two of
# the ideas you write yourself now. (A third, the *depthwise* convolution of MobileNet, handles each
# channel on its own; a 1 x 1 convolution after it mixes the channels.)

# %% [markdown]
# ## Small kernels, and narrow ones
#
# Two 3 x 3 convolutions in a row see as much as one of 5 x 5 (lab 04). With 64 channels throughout:

# %%
for name, sizes in [("one 5 x 5", [5]), ("two 3 x 3", [3, 3])]:
    parameters = sum(size * size * 64 * 64 + 64 for size in sizes)
    print(f"{name}: {parameters:7,} parameters, {len(sizes)} ReLU")

# %% [markdown]
# Cheaper, and one more nonlinearity. That is why VGG has nothing but 3 x 3.
#
# A **1 x 1 convolution** sees a single pixel. It can't find a shape, but it makes new channels as
# mixtures of the old ones, the same mixtures at every pixel. So it can *reduce* the number of channels
# before an expensive layer. That is the idea of the **Inception** module (Szegedy et al. 2015): four
# branches look at the same map, with 1 x 1, 3 x 3, 5 x 5 and pooling, and all their channels together
# are the output. In front of the large kernels stands a 1 x 1.

# %% [markdown]
# ### Exercise 3: a branch that reduces first
#
# Write `inception_branch(x, reduced, filters, kernel_size)` with layers of Keras. `x` is a map
# `(n, h, w, c)`. A convolution of 1 x 1 makes `reduced` channels of it, then one of `kernel_size` x
# `kernel_size` makes `filters` channels. Both have a ReLU, and the map keeps its `h` x `w`. Return
# the map `(n, h, w, filters)`.
#
# A layer is called like a function: `layers.Conv2D(8, 3)(x)` makes the layer and applies it to `x`.
# With 192 channels in, `reduced` 16, `filters` 32 and a kernel of 5 the two layers have 3,088 and
# 12,832 parameters.
#
# <details><summary>Hint</summary>
#
# Two lines that each begin with `x = layers.Conv2D(`, and `return x`. Which argument keeps `h` x `w`?
# </details>


# %% tags=["exercise:inception_branch"]
def inception_branch(x, reduced, filters, kernel_size):
    """Return a map (n, h, w, filters), made by way of only `reduced` channels."""
    ### BEGIN SOLUTION
    x = layers.Conv2D(reduced, 1, activation="relu")(x)
    return layers.Conv2D(filters, kernel_size, padding="same", activation="relu")(x)
    ### END SOLUTION


# %% tags=["check:inception_branch", "nbval-check-output"]
check.inception_branch(inception_branch)

# %% [markdown]
# The module of the paper, 192 channels in and 256 out, on 28 x 28, once with the reductions and once
# without. `convolution` is one layer with a ReLU.


# %%
def convolution(x, filters, kernel_size):
    """Return the map after one convolution with a ReLU."""
    return layers.Conv2D(filters, kernel_size, padding="same", activation="relu")(x)


def inception_module(x, reduce):
    """Return the module "3a" of GoogLeNet, with or without its 1 x 1 reductions."""
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    branches = [
        convolution(x, 64, 1),
        convolution(convolution(x, 96, 1) if reduce else x, 128, 3),
        convolution(convolution(x, 16, 1) if reduce else x, 32, 5),
        convolution(pooled, 32, 1),
    ]
    return layers.Concatenate()(branches)


# %%
image = keras.Input((28, 28, 192))
for reduce in (False, True):
    model = blueprint(lambda reduce=reduce: keras.Model(image, inception_module(image, reduce)))
    work = sum(map(multiplications, model.layers))
    name = "with 1 x 1" if reduce else "without"
    print(
        f"{name:11} {model.output.shape[-1]} channels, {model.count_params():7,} parameters,",
        end="",
    )
    print(f" {work / 1e6:5.0f} million multiplications")

# %% [markdown]
# An output of the same shape, for less than half of the parameters and of the work.

# %% [markdown]
# ## Depth, and how the gradient survives it
#
# If more layers are better, why not 50? Before 2015 plain networks of 50 layers trained badly, even
# with good initial weights and batch normalization. A part of the problem is the gradient: it has to
# come back through all layers, and each one multiplies it. **Residual networks** (He et al. 2016)
# give it a way around: a block computes only what to *add* to its input,
#
# $$y = \operatorname{ReLU}\bigl(x + F(x)\bigr)$$
#
# The way of $x$ past $F$ is called a **skip** or *shortcut*. Through it the sum passes the gradient on
# as it is, whatever $F$ does (only the last ReLU can stop it). And a block that isn't needed can do
# nothing: its weights only have to be zero.

# %% [markdown]
# ### Exercise 4: a residual block
#
# Write `residual_block(x, filters, stride=1)` for a map `(n, h, w, c)`:
#
# - $F$: a 3 x 3 convolution to `filters` channels with the given `stride`, a ReLU, and a second 3 x
#   3 convolution to `filters` channels with stride 1. Both with padding "same"; the second has no
#   ReLU.
# - the **shortcut**: `x` itself if $F$ leaves the shape as it is (stride 1 and `filters` equal to
#   `c`). Otherwise the two can't be added; then the shortcut is a 1 x 1 convolution of `x` to
#   `filters` channels with the same `stride`, without a ReLU.
# - the sum of both, and then a ReLU.
#
# `x.shape[-1]` is the number of channels, `layers.Add()([a, b])` or `a + b` the sum, and
# `layers.ReLU()(a)` the ReLU of `a`. A map `(1, 8, 8, 16)` keeps its shape with
# `residual_block(x, 16)`, and `residual_block(x, 32, stride=2)` gives `(1, 4, 4, 32)`.
#
# <details><summary>Hint 1</summary>
#
# Keep `x`: write `h = layers.Conv2D(...)(x)` and go on with `h`.
# </details>
# <details><summary>Hint 2</summary>
#
# `if stride != 1 or x.shape[-1] != filters:` the shortcut is a convolution, with the stride of $F$.
# </details>


# %% tags=["exercise:residual_block"]
def residual_block(x, filters, stride=1):
    """Return ReLU(shortcut + F(x)), (n, h / stride, w / stride, filters)."""
    ### BEGIN SOLUTION
    h = layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu")(x)
    h = layers.Conv2D(filters, 3, padding="same")(h)
    if stride != 1 or x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1, strides=stride)(x)
    return layers.ReLU()(layers.Add()([x, h]))
    ### END SOLUTION


# %% tags=["check:residual_block:2", "nbval-check-output"]
check.residual_block(residual_block)

# %% [markdown]
# ### Exercise 5: which gradient vanishes?
#
# Now measure it. To be quick we take dense layers of 64 units, and four kinds of network, each with
# 4, 8, 16, 32 and 64 layers:
#
# - `"sigmoid"`: each layer after the first has a sigmoid,
# - `"ReLU"`: each layer has a ReLU,
# - `"normalized"`: each layer after the first normalizes its inputs (batch normalization, lab 03),
#   and has a ReLU,
# - `"with skips"`: the same, but each layer after the first adds its output to its input. (The
#   simplest residual block there is: one dense layer, and no ReLU after the sum.)
#
# We send 100 random inputs through each untrained network and look at the gradient that reaches the
# **first** layer: how large is it with 64 layers, compared with 4? Write into `vanishing` the name
# of the kind for which this ratio is the smallest, **before** you measure.
#
# <details><summary>Hint</summary>
#
# On the way back each layer multiplies the gradient by its weights and by the slope of its activation. The
# largest slope of a sigmoid is 1/4 (lab 01), that of a ReLU is 1.
# </details>

# %% tags=["exercise:vanishing"]
vanishing = None
### BEGIN SOLUTION
vanishing = "sigmoid"
### END SOLUTION

# %% [markdown]
# How to see a gradient, with any backend? One step of plain gradient descent with a learning rate
# of 1 changes each weight by its gradient. The biases start at zero, so after one step they *are*
# the gradient, with a minus.


# %%
def deep_network(kind, depth, inputs):
    """Return a dense classifier for ten classes with `depth` layers of 64 units."""
    keras.utils.clear_session()  # frees the memory of the networks before
    x = image = keras.Input((inputs,))
    x = layers.Dense(64, activation="relu", name="first")(x)
    for _ in range(depth - 1):
        normalize = kind in ("normalized", "with skips")
        h = layers.BatchNormalization(momentum=0.9)(x) if normalize else x
        h = layers.Dense(64, activation="sigmoid" if kind == "sigmoid" else "relu")(h)
        x = layers.Add()([x, h]) if kind == "with skips" else h
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def first_gradient(model, x, y):
    """Return the norm of the gradient of the biases of the first layer."""
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy", run_eagerly=True)
    model.train_on_batch(x, y)
    return np.linalg.norm(model.get_layer("first").get_weights()[1])


# %% [markdown]
# Twenty networks; it takes ten to twenty seconds. (`run_eagerly` saves Keras the work of compiling what
# runs only once.)

# %%
kinds, depths = ("sigmoid", "ReLU", "normalized", "with skips"), (4, 8, 16, 32, 64)
rng = np.random.default_rng(5)
x, y = rng.normal(size=(100, 64)), rng.integers(0, 10, size=100)
norms = {
    kind: [first_gradient(deep_network(kind, depth, 64), x, y) for depth in depths]
    for kind in training.track(kinds)
}
figure, axis = plt.subplots(figsize=(7, 3.8))
colors = (plots.VERMILION, plots.ORANGE, plots.GREEN, plots.BLUE)
for (kind, norm), color, marker in zip(norms.items(), colors, "osD^", strict=True):
    shown = np.where(np.equal(norm, 0), np.nan, norm)  # a zero has no place on a log scale
    axis.plot(depths, shown, marker=marker, color=color)
    last = np.flatnonzero(norm)[-1]
    end = (depths[last], norm[last])
    axis.annotate(kind, end, (8, 0), textcoords="offset points", va="center", color=color)
axis.set(xscale="log", yscale="log", xlabel="layers")
axis.set(ylabel="norm of the gradient\n(biases of the first layer)")
axis.set(xticks=depths, xticklabels=depths, xlim=(3.6, 150))
axis.minorticks_off()
plots.show(
    figure,
    alt="Norm of the first layer's gradient against the number of layers, both on log scales. With "
    "a sigmoid it falls by many powers of ten and is lost after 32 layers, with a ReLU it falls "
    "more slowly, with normalization alone it grows, with skips it stays nearly level.",
)

# %% tags=["check:vanishing"]
check.vanishing(vanishing, norms)

# %% [markdown]
# With the **sigmoid** nothing arrives. Its line ends at 32 layers: at 64 the gradient is so small
# that a computation in float32 rounds it to 0. With the **ReLU** it shrinks in each layer to about
# 0.7 of its size, because Keras starts with Glorot's weights (lab 02; He's would keep it, at the
# start). **Normalization** alone keeps the signals at a good size on the way forward, but makes
# gradients *explode* on the way back (Yang et al. 2019). Only **with skips** does the gradient stay
# within a factor of a few dozen, from 4 layers to 64.
#
# That was before training. Does it matter? We train each kind with 20 layers on 3,000 digits, four
# epochs. It takes half a minute to a minute. Ten classes: whoever guesses gets about 10 %.


# %%
def train_deep(kind, digits):
    """Return the accuracy of a network with 20 layers in the last epoch of its training."""
    keras.utils.set_random_seed(5)
    model = deep_network(kind, 20, 784)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = digits.x_train[:3000].reshape(3000, 784) / np.float32(255)
    history = model.fit(x, digits.y_train[:3000], 50, 4, verbose=0).history
    return history["accuracy"][-1]


# %%
digits = data.mnist()
for kind in training.track(kinds):
    print(f"{kind:11} accuracy in the last epoch: {train_deep(kind, digits):.0%}")

# %% [markdown]
# The sigmoid network gets hardly any gradient, and learns nothing. The normalized one has a gradient
# of ordinary size at 20 layers, and still learns badly: the size isn't everything (Adam divides it
# out, by the way). Skips also make the loss smoother, and so easier to descend (Li et al. 2018). The
# last network does what the others can't. Most large networks since then have such skips, also the
# *transformers* behind language models.

# %% [markdown]
# ## Few photos
#
# Now a task as you may have it yourself: few photos of each kind, and nobody wants to label more.
# They are those from the start of the lab.

# %%
side = photos.x_train.shape[1]
print(f"{len(photos.x_train)} photos to learn from, {len(photos.x_test)} for the test, side {side}")

# %% [markdown]
# As a yardstick we train a small CNN **from scratch**, from random weights, as in lab 03, for 40
# epochs. `few(n)` picks the first `n` photos of each class.

# %%
LOSS = "sparse_categorical_crossentropy"


def few(n):
    """Return the indices of the first n training photos of each class."""
    each = [np.flatnonzero(photos.y_train == label)[:n] for label in range(classes)]
    return np.concatenate(each)


def small_cnn():
    """Return an untrained CNN for these photos."""
    parts = [
        keras.Input((side, side, 3)),
        layers.Rescaling(1 / 255),
        layers.RandomFlip("horizontal"),
    ]
    for filters, stride in [(16, 2), (32, 1), (64, 1), (96, 1)]:
        parts.append(layers.Conv2D(filters, 3, stride, padding="same", use_bias=False))
        parts += [layers.BatchNormalization(momentum=0.9), layers.ReLU(), layers.MaxPooling2D()]
    parts += [layers.GlobalAveragePooling2D(), layers.Dense(classes, activation="softmax")]
    return keras.Sequential(parts)


def train_scratch(n):
    """Return the test accuracy of a small CNN trained on n photos of each class."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    model, chosen = small_cnn(), few(n)
    model.compile(keras.optimizers.Adam(0.003), LOSS, metrics=["accuracy"])
    x, y = photos.x_train[chosen], photos.y_train[chosen]
    model.fit(x, y, 16, epochs=40, verbose=0, callbacks=training.progress())
    return model.evaluate(photos.x_test, photos.y_test, verbose=0)[1]


# %% [markdown]
# Ten photos of each class, then 25, then all. It takes about a minute. How far does the CNN get?

# %%
most = np.bincount(photos.y_train).max()  # photos of the most frequent class
scratch = {n: train_scratch(n) for n in (10, 25, most)}
for n, accuracy in scratch.items():
    print(f"from scratch, {n:3} photos of each: {accuracy:.1%} (by chance {1 / classes:.0%})")

# %% [markdown]
# ## A network that has seen more
#
# Now take a network that was trained before: the **backbone**. Without its last layers it doesn't
# give classes but **features**: one map for each thing it has learned to look for. Edges and textures
# help with nearly any photo, eyes and legs with other animals, too; the later a layer, the more its
# features belong to the first task (Yosinski et al. 2014). In the place of the layers taken off come
# new last layers, the **head**.
#
# Which classes has the backbone seen? Offline: other species, drawn by the same generator. Real: the
# 1,000 classes of ImageNet, and ants and bees are among them.

# %%
backbone, source = backbones.pretrained(side, photos.source)
pretrained_weights = backbone.get_weights()
print(f"{len(backbone.layers)} layers, {backbone.count_params():,} parameters")
print("photos", backbone.input_shape[1:], "-> features", backbone.output_shape[1:])

# %% [markdown]
# ### Exercise 6: a frozen backbone with a new head
#
# Write `frozen_classifier(backbone, classes)`. It returns a Keras model in which
#
# - the backbone is **frozen**: no training changes it,
# - its maps go through a global average (lab 04),
# - and one dense layer with a softmax gives the probabilities of the `classes`.
#
# With a backbone that gives, for example, 160 maps, and 5 classes, exactly 160 * 5 + 5 = 805
# parameters can be trained. `backbone.output` is its last map, `backbone.input` its input; a model
# can also be called like a layer.
#
# <details><summary>Hint 1</summary>
#
# `backbone.trainable = False` freezes all its layers, batch normalization included: in Keras a frozen
# one keeps its moving averages.
# </details>
# <details><summary>Hint 2</summary>
#
# `keras.Sequential([backbone, ...])` with two more layers is enough.
# </details>


# %% tags=["exercise:frozen_classifier"]
def frozen_classifier(backbone, classes):
    """Return a classifier of which only the new last layer can be trained."""
    ### BEGIN SOLUTION
    backbone.trainable = False
    return keras.Sequential(
        [
            backbone,
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    ### END SOLUTION


# %% tags=["check:frozen_classifier:2", "nbval-check-output"]
check.frozen_classifier(frozen_classifier)

# %% [markdown]
# A frozen backbone gives the same features for the same photo in every epoch. So compute them
# **once**, and train the head alone: all photos and four heads take about fifteen seconds. We take the
# mean of the features of a photo and of its mirror image, because a mirrored animal is still the same
# animal.


# %%
def features_of(images):
    """Return the features of images and their mirror images, averaged, (n, features)."""
    means = []
    for start in training.track(range(0, len(images), 25)):  # in parts, to save memory
        part = images[start : start + 25]
        both = [backbone.predict_on_batch(x) for x in (part, part[:, :, ::-1])]
        means.append(np.mean(both, axis=(0, 2, 3)))
    return np.concatenate(means)


def train_head(x, y, weights=None):
    """Return a trained softmax layer for features; `weights` are those of the samples."""
    keras.utils.set_random_seed(5)
    penalty = keras.regularizers.L2(0.001)
    dense = layers.Dense(classes, activation="softmax", kernel_regularizer=penalty)
    head = keras.Sequential([keras.Input(x.shape[1:]), dense])
    head.compile(keras.optimizers.Adam(0.01), LOSS, metrics=["accuracy"])
    head.fit(x, y, 32, epochs=40, sample_weight=weights, verbose=0)
    return head


def train_frozen(n):
    """Return the test accuracy of a head on the features of n photos of each class."""
    chosen = few(n)
    head = train_head(features[chosen], photos.y_train[chosen])
    return head.evaluate(test_features, photos.y_test, verbose=0)[1]


# %%
features, test_features = features_of(photos.x_train), features_of(photos.x_test)
frozen = {n: train_frozen(n) for n in training.track([5, 10, 25, most])}
for n, accuracy in frozen.items():
    print(f"frozen backbone, {n:3} photos of each: {accuracy:.1%}")

# %% [markdown]
# The figure shows accuracy against the number of labeled photos. How many photos does the small CNN
# need to be as good as the frozen backbone with ten of each class?

# %%
figure, axis = plt.subplots(figsize=(7, 3.6))
for name, line, color in [
    ("frozen backbone", frozen, plots.BLUE),
    ("from scratch", scratch, plots.VERMILION),
]:
    axis.plot(list(line), list(line.values()), "o-", color=color)
    axis.text(most * 1.08, line[most], name, color=color, va="center")
axis.axhline(1 / classes, color=plots.BLACK, linestyle=":")
axis.text(5, 1 / classes + 0.015, "by chance")
axis.set(
    xscale="log",
    xlim=(4.5, most * 2.4),
    ylim=(0, 1.02),
    xticks=list(frozen),
    xticklabels=list(frozen),
)
axis.set(xlabel="labeled photos of each class", ylabel="accuracy in the test")
axis.minorticks_off()
plots.show(
    figure,
    alt="Test accuracy against labeled photos of each class on a log scale. The frozen backbone is "
    "clearly above the CNN from scratch at each number, most of all with few photos.",
)

# %% [markdown]
# Even with all photos the CNN doesn't reach what the backbone gives with ten of each class. Offline
# it stays far below; on the real photos the distance varies from run to run. **Few labels are enough
# when the features are there already.** It isn't magic: the backbone has seen photos of the same sort.
# Offline the drawings of both sets come from one generator; ImageNet has ants and bees. So both
# transfers are *easier* than yours is likely to be. A backbone trained on photos may help far less
# with, say, radar images.
#
# And a measured accuracy isn't exact: other test photos would give another one. With $n$ of them an
# accuracy $p$ typically errs by about $\sqrt{p (1 - p) / n}$, one **standard error**. That is for *one*
# accuracy. The difference of two networks, each tested on photos of its own, errs by about 1.4 times
# as much (less, as a rule, if both are tested on the same photos, as here). So don't read anything
# into differences smaller than that.

# %%
accuracy, count = frozen[most], len(photos.y_test)
error = np.sqrt(accuracy * (1 - accuracy) / count)
print(f"{accuracy:.1%} of {count} photos: one standard error is {error:.1%}")

# %% [markdown]
# ## The traps
#
# **Preprocessing.** A backbone expects its photos scaled in exactly one way. Ours does it itself,
# as its first layer, and wants values from 0 to 255. Divide by 255 "as always", and it looks at
# nearly black photos. There is no error message; only the accuracy tells. How much is lost? To
# measure it takes about six seconds.

# %%
dark = features_of(photos.x_train / np.float32(255))
head = train_head(dark, photos.y_train)
wrong = head.evaluate(features_of(photos.x_test / np.float32(255)), photos.y_test, verbose=0)[1]
print(f"scaled once: {frozen[most]:.1%}, scaled twice: {wrong:.1%}")

# %% [markdown]
# Offline everything above chance is lost, on the real photos most of it.
#
# **Leakage** is the second trap: the same animal in training and in the test, as two frames of one
# video, or one photo twice. Then the test asks what the network has learned by heart. Split by
# animal, by place, by day, not by photo. A backbone can bring a leak with it: the ants and bees are a
# small part of ImageNet, says the PyTorch tutorial that made them known (Chilamkurthy 2017), so
# MobileNetV2 may have seen some of our test photos.

# %% [markdown]
# ## Fine-tuning
#
# If the backbone's features are good, wouldn't they be better still if its last layers were trained
# on *our* photos? This is **fine-tuning**, and here the other two traps wait:
#
# - **The learning rate.** The new head starts from random weights; its gradients can damage the
#   backbone. So first train the head alone, and then go on with a far smaller learning rate.
# - **Batch normalization.** In training it uses the mean and the spread of the batch, and moves its
#   averages towards the new photos. With batches of a few photos that is noise. So these layers stay
#   frozen.

# %% [markdown]
# ### Exercise 7: unfreeze the last layers
#
# Write `unfreeze_last(backbone, count)`. Afterwards the last `count` layers of `backbone.layers`
# are trainable, except those that are a `layers.BatchNormalization`; all other layers are frozen.
# It changes the backbone and returns nothing. `count` may be 0: then nothing is trainable.
#
# A trap of Keras: while `backbone.trainable` is False, none of its layers is trained, whatever they
# say themselves. And setting it to True sets it for *every* layer. So this comes first, and the
# freezing after it.
#
# With 20 layers, the last of them a batch normalization, `unfreeze_last(backbone, 3)` leaves layers
# 17 and 18 trainable (counted from 0).
#
# <details><summary>Hint 1</summary>
#
# After `backbone.trainable = True` go through all layers, with their number: `for i, layer in enumerate(backbone.layers)`.
# </details>
# <details><summary>Hint 2</summary>
#
# A layer is trainable if two things hold: its number is at least `len(backbone.layers) - count`, and
# `not isinstance(layer, layers.BatchNormalization)`.
# </details>


# %% tags=["exercise:unfreeze_last"]
def unfreeze_last(backbone, count):
    """Make the last layers trainable, but no batch normalization, and freeze all others."""
    ### BEGIN SOLUTION
    backbone.trainable = True
    frozen_until = len(backbone.layers) - count
    for number, layer in enumerate(backbone.layers):
        norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = number >= frozen_until and not norm
    ### END SOLUTION


# %% tags=["check:unfreeze_last:2", "nbval-check-output"]
check.unfreeze_last(unfreeze_last)

# %% [markdown]
# Now three trainings from the same start, the backbone and the head that was trained on its
# features; the line "frozen" is this start. In the first two only the head and the convolutions among
# the last fifth of the layers change; the first is careful, the second has a larger learning rate. The
# third trains all layers but the first quarter, whose large maps would take the most memory, with a
# large rate, and lets their batch normalizations move their averages.
# Five epochs each; it takes about half a minute, with real photos more than a minute. What do you
# expect of the accuracy in training, and of that in the test?


# %%
def fine_tune(learning_rate, freeze_norms=True):
    """Return the accuracies in training and in the test after five epochs of fine-tuning."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    backbone.set_weights(pretrained_weights)
    unfreeze_last(backbone, len(backbone.layers) // 5)
    for layer in [] if freeze_norms else backbone.layers[len(backbone.layers) // 4 :]:
        layer.trainable = True
    dense = layers.Dense(classes, activation="softmax")
    model = keras.Sequential([backbone, layers.GlobalAveragePooling2D(), dense])
    dense.set_weights(best_head.layers[-1].get_weights())
    model.compile(keras.optimizers.Adam(learning_rate), LOSS, metrics=["accuracy"])
    if learning_rate:
        bar = training.progress()
        model.fit(photos.x_train, photos.y_train, 16, epochs=5, verbose=0, callbacks=bar)
    learned = model.evaluate(photos.x_train, photos.y_train, verbose=0)[1]
    return learned, model.evaluate(photos.x_test, photos.y_test, verbose=0)[1]


# %%
best_head = train_head(features, photos.y_train)
print("                                 training    test")
for name, settings in [
    ("frozen", (0.0,)),
    ("last fifth, rate 0.00001", (1e-5,)),
    ("last fifth, rate 0.001", (1e-3,)),
    ("last 3/4 and norms, rate 0.01", (1e-2, False)),
]:
    learned, tested = fine_tune(*settings)
    print(f"{name:31} {learned:9.1%} {tested:7.1%}")
backbone.set_weights(pretrained_weights)  # so that every cell above can be run again

# %% [markdown]
# The frozen head already gets (nearly) all training photos right, so there is little left to learn
# *from them*. At the small rate the change in the test is within the standard error. A rate of 0.001
# can cost photos of the test, on the real ones many, and there it even lowers the accuracy in
# training. With so few photos fine-tuning **doesn't pay**. It can pay with many more, or if yours look
# very different from those that the backbone knows.
#
# The last line has three changes at once: most layers, a large rate, and batch normalizations whose
# averages move. What the backbone had learned is badly damaged; besides, both columns are measured
# with averages of the batch normalizations, which lag behind the weights. Offline the network loses
# much in the test, and where the accuracy in training is still high, it has learned these photos by
# heart. On the real photos it gives one answer for all. (These accuracies in the test are for
# single photos. Further up each photo was seen with its mirror image, too, which often helps, but
# not always.)

# %% [markdown]
# ## For whom does it work?
#
# One accuracy can hide a lot. Suppose that the photos come from a camera that the animals set off
# themselves: some of the species come out mostly by day, the others at night. Then the *light* tells
# the species, nearly always, in your training photos. A head learns whatever helps. What will it say
# of the rare photos where light and species don't go together?
#
# We make night photos ourselves: dark, bluish and noisy. Species 0, 2, ... are taken at night in one
# of twenty photos, the others in nineteen of twenty. In the test each photo comes in both lights.


# %%
def at_night(images, rng):
    """Return photos as if taken at night, uint8."""
    dark = []
    for image in images:  # one by one, since all together would take much memory
        noise = rng.normal(scale=8, size=image.shape)
        dark.append(np.clip(image * [0.25, 0.3, 0.45] + noise, 0, 255).astype(np.uint8))
    return np.array(dark)


# %%
rng = np.random.default_rng(5)
night, night_test = at_night(photos.x_train, rng), at_night(photos.x_test, rng)
five = picked[::2]
plots.show(
    plots.images(
        np.concatenate([photos.x_train[five], night[five]]), ["day"] * 5 + ["night"] * 5, 5, 1.5
    ),
    alt="Five photos of animals, and below the same photos dark, bluish and grainy.",
)

# %% [markdown]
# Most can still be made out. Now their features, by the backbone as it was before the fine-tuning, and
# a training set in which the light goes with the species.

# %%
backbone.set_weights(pretrained_weights)  # the trainings above may have been interrupted
night_features = features_of(night)
night_test_features = features_of(night_test)

usual = photos.y_train % 2  # the light in which a species is mostly seen: 0 day, 1 night
light = np.where(rng.random(len(usual)) < 0.05, 1 - usual, usual)
skewed = np.where(light[:, None] == 1, night_features, features)
print("photos      day  night")
for label, name in enumerate(photos.names):
    by_day, by_night = np.bincount(light[photos.y_train == label], minlength=2)
    print(f"{name:10} {by_day:4} {by_night:6}")

# %% [markdown]
# ### Exercise 8: weights against the skew
#
# Few photos of a kind mean little weight in the loss. So give each of them more. Write
# `group_weights(labels, groups)`: `labels` and `groups` are arrays `(n,)` of whole numbers, here
# the species and the light. Return an array with one weight for each sample, `(n,)`, so that every
# **combination** of label and group that occurs has the same *sum* of weights, and the mean of all
# weights is 1. With $K$ combinations that is
#
# $$w = \frac{n}{K \cdot (\text{number of samples with this label and this group})}$$
#
# With labels `[0, 0, 0, 1]` and groups `[0, 0, 1, 1]` three combinations occur: twice (0, 0), once
# (0, 1), once (1, 1). The weights are 4 / (3 * 2) = 0.67 for the first two, and 4 / (3 * 1) = 1.33
# for the others.
#
# <details><summary>Hint 1</summary>
#
# For one sample: `(labels == label) & (groups == group)` is True for all that are like it; its sum is their number.
# </details>
# <details><summary>Hint 2</summary>
#
# The number of combinations is `len(set(zip(labels, groups)))`.
# </details>


# %% tags=["exercise:group_weights"]
def group_weights(labels, groups):
    """Return a weight for each sample, so that all (label, group) combinations count the same."""
    ### BEGIN SOLUTION
    combinations = len(set(zip(labels, groups, strict=True)))
    alike = [np.sum((labels == a) & (groups == b)) for a, b in zip(labels, groups, strict=True)]
    return len(labels) / (combinations * np.array(alike))
    ### END SOLUTION


# %% tags=["check:group_weights", "nbval-check-output"]
check.group_weights(group_weights)

# %% [markdown]
# One head without and one with your weights, on the same photos, and a third on every photo in both
# lights. It takes about ten seconds. We look at the test photos in the light that is *usual* for their
# species, and in the other. What would a single accuracy on photos like those of the training have
# told us?


# %%
def accuracy_by_light(head):
    """Return the accuracies on test photos in the usual light of their species and in the other."""
    usual = photos.y_test[:, None] % 2 == 1
    in_usual = np.where(usual, night_test_features, test_features)
    in_other = np.where(usual, test_features, night_test_features)
    return [head.evaluate(x, photos.y_test, verbose=0)[1] for x in (in_usual, in_other)]


# %%
both = np.concatenate([features, night_features])
heads = {
    "all the same": (skewed, photos.y_train),
    "your weights": (skewed, photos.y_train, group_weights(photos.y_train, light)),
    "balanced photos": (both, np.tile(photos.y_train, 2)),
}
print("                usual light   other light")
for name, settings in training.track(heads.items()):
    usual_light, other_light = accuracy_by_light(train_head(*settings))
    print(f"{name:15} {usual_light:11.1%} {other_light:13.1%}")

# %% [markdown]
# In the usual light all is well, and a test in the usual light would show nothing else. In the other
# light the first head fails for many animals: it has learned the light. The weights mend a part, on
# the real photos a small one, and there the head is still no better than guessing; weights can't
# make new photos out of the few that there are. Photos of every species in every light, the last
# line, are the best remedy (and there are twice as many of them): the two columns are closer than
# in any other line. (In the usual light this head is worse than the first. That one was flattered: the
# light gave the answer away.)
#
# With people it is the same, and it matters more. In 2018 three commercial programs that tell women
# from men by their faces were wrong for up to 0.8 % of the men with lighter skin, and for up to
# 34.7 % of the women with darker skin (Buolamwini and Gebru 2018). In two public
# test sets of the time 80 and 86 % of the people had lighter skin, the same paper found; a mean over
# them hides the others. So **report the accuracy of each group**, not only the mean, and say for
# whom a model was made. A **model card** (Mitchell et al. 2019) does so on one page:
#
# | a model card says | for our classifier |
# |---|---|
# | what it is for, and what not | to learn from; not to decide anything about real animals |
# | what it was trained on | the head on a few hundred photos, the backbone on many others |
# | how it was measured | on test photos of the same source, by accuracy |
# | for which groups | by day and at night, in the table above |
# | what is known to go wrong | light that is unusual for a species |

# %% [markdown]
# ## The result
#
# Last, the classifier as you would use it: the frozen backbone, the average and the head that was
# trained with all photos, in one model that takes photos, as in exercise 6. It answers for each photo
# and for its mirror image, and we take the mean.

# %%
backbone.trainable = False
dense = layers.Dense(classes, activation="softmax")
classifier = keras.Sequential([backbone, layers.GlobalAveragePooling2D(), dense])
dense.set_weights(best_head.layers[-1].get_weights())
answers = sum(classifier.predict(x, verbose=0) for x in (photos.x_test, photos.x_test[:, :, ::-1]))
accuracy = np.mean(answers.argmax(axis=-1) == photos.y_test)
check.reached("test accuracy", accuracy, at_least=0.88 if photos.source.real else 0.92)

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - Parameters are memory for the weights (the maps need memory, too), multiplications are time.
#   Dense layers after a flattening hold most of the former, convolutions on large maps do most of
#   the latter.
# - Small kernels in a row are cheaper than one large kernel; a 1 x 1 convolution reduces channels
#   before expensive ones.
# - In deep networks gradients vanish or explode. Skips let them pass.
# - With few labels take a trained backbone: freeze it, train a head. Fine-tune only with enough
#   data, with a small rate and frozen batch normalization.
# - Scale the photos as the backbone expects it. Keep training and test apart by animal and place.
# - Look at the accuracy of each group; weights help a little, photos of every group help more.
#
# ### Go further
#
# - Use `GlobalMaxPooling2D` in the head. Is it better or worse, and by more than the standard
#   error?
# - Build a small residual network from your blocks, and train it in the place of the small CNN.
# - Which photos are wrong? Show them with `plots.images` and find out whether they have something
#   in common.
# - Take only the features of an earlier layer of the backbone. From which layer on are they good?
# - How do the weights do if only one in a hundred photos is taken in the other light?
#
# ### References
#
# - A. Krizhevsky, I. Sutskever and G. Hinton (2012): *ImageNet classification with deep
#   convolutional neural networks*. NIPS.
# - K. Simonyan and A. Zisserman (2014): *Very deep convolutional networks for large-scale image
#   recognition*. arXiv:1409.1556.
# - C. Szegedy et al. (2015): *Going deeper with convolutions*. CVPR.
# - C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna (2016): *Rethinking the Inception
#   architecture for computer vision*. CVPR.
# - K. He, X. Zhang, S. Ren and J. Sun (2016): *Deep residual learning for image recognition*. CVPR.
# - H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018): *Visualizing the loss landscape of
#   neural nets*. NeurIPS.
# - G. Yang, J. Pennington, V. Rao, J. Sohl-Dickstein and S. Schoenholz (2019): *A mean field theory
#   of batch normalization*. ICLR.
# - M. Sandler et al. (2018): *MobileNetV2: inverted residuals and linear bottlenecks*. CVPR.
# - J. Yosinski, J. Clune, Y. Bengio and H. Lipson (2014): *How transferable are features in deep
#   neural networks?* NIPS.
# - S. Chilamkurthy (2017): *Transfer learning for computer vision tutorial*. PyTorch tutorials.
# - J. Buolamwini and T. Gebru (2018): *Gender shades: intersectional accuracy disparities in
#   commercial gender classification*. FAT*.
# - M. Mitchell et al. (2019): *Model cards for model reporting*. FAT*.
