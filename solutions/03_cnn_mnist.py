# %% [markdown]
# # Convolution and a CNN on MNIST
#
# After this lab you will be able to
#
# - compute a convolution by hand, and predict the size of its output,
# - write it in NumPy with padding, stride, channels and filters, and get what Keras gets,
# - read from the numbers of a kernel what it does to a photograph,
# - count parameters, and say what sharing weights saves,
# - train a convolutional neural network (CNN) that reads handwritten digits, compare it with
#   features made by hand, and look inside,
# - say when a CNN is the wrong network.
#
# You need two to three hours. The notebook computes for about two minutes on two CPU cores, and
# takes up to 1.4 GB of memory. The pictures are a photograph that comes with scikit-learn, and
# MNIST: handwritten digits, 28 x 28 gray pixels each (or the course's own digits, where MNIST is
# not at hand).

# %%
import numpy as np
from matplotlib import pyplot as plt

from helpers import data, plots, training
from helpers.checks import cnn as check

# %% [markdown]
# ## A template slides along a signal
#
# We look for a short pattern, the *template*, in a long signal. Lay the template on the first
# numbers of the signal, multiply pair by pair, and add. Then move one step and do it again. The sum
# is large where the signal looks like the template:
#
#     signal    0  1  2  1  0  0
#     template  1  2  1              1*0 + 2*1 + 1*2 = 4
#                  1  2  1           1*1 + 2*2 + 1*1 = 6   <- here it fits
#
# Three numbers fit into six at four positions, so the result has four numbers.
#
# Below, the first two lines of code compute this. Then comes a signal that is full of noise. The
# template, one wave of eleven numbers, was added to it at one place. In the upper plot it is hard to
# see where. Look for the highest point of the lower one.

# %%
signal, template = np.array([0, 1, 2, 1, 0, 0]), np.array([1, 2, 1])
print([int(np.sum(signal[i : i + 3] * template)) for i in range(4)])

random = np.random.default_rng(3)
wave = np.sin(np.linspace(0, 2 * np.pi, 11))
noisy = random.normal(0, 0.5, 150)
noisy[90:101] += 1.2 * wave
response = np.correlate(noisy, wave, mode="valid")
figure, (above, below) = plt.subplots(2, 1, sharex=True)
above.plot(noisy, linewidth=1)
above.set_ylabel("signal")
below.plot(response, color=plots.VERMILION, linewidth=1)
below.plot(response.argmax(), response.max(), "o", color=plots.BLACK)
below.annotate(f"  highest at {response.argmax()}", (response.argmax(), response.max()))
below.set(xlabel="position of the template's first number (samples)", ylabel="sum of products")
plots.show(
    figure,
    alt="Above, a noisy signal of 150 samples. Below, the sum of products at each position of the "
    "template: one peak, at sample 90, stands above all others.",
)

# %% [markdown]
# The sum stands out at sample 90, where the wave was hidden. Sliding a small set of weights along the
# data and adding products: that is a **convolution**, as deep learning uses the word.
#
# ## The same in two dimensions
#
# For an image the template is a small matrix, the **kernel** or **filter**. It slides along the rows
# and along the columns. Here is an image of 5 x 5 zeros and ones, and a kernel of 3 x 3. Compute the
# first number by hand before you run the cell: which ones of the kernel meet ones of the image?

# %%
binary = np.array(
    [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
)
cross = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
[int(np.sum(binary[0:3, j : j + 3] * cross)) for j in range(3)]

# %% [markdown]
# That is the first row of the result. The kernel fits at three places in a row, and at three heights:
# the result is 3 x 3.
#
# ### Exercise 1: the size of the output
#
# Along one axis the image has `i` pixels and the kernel `k`. We may add `p` zeros at **each** end of
# the image (*padding*), and move the kernel `s` pixels at a time (*stride*). Write
# `output_size(i, k, p, s)`: at how many positions does the kernel stand inside the padded image?
#
# `output_size(5, 3, 0, 1)` is 3. `output_size(6, 3, 0, 2)` is 2: the kernel stands at pixel 0 and at
# pixel 2; at pixel 4 it would hang over the end.
#
# <details><summary>Hint 1</summary>
#
# With the zeros the image has i + 2p pixels. How far can the kernel move from its first position?
# </details>
# <details><summary>Hint 2</summary>
#
# It can move i + 2p - k pixels. How many whole strides are that? And count the first position too.
# </details>


# %% tags=["exercise:output_size"]
def output_size(i, k, p, s):
    """Return the number of positions of a kernel along one axis."""
    ### BEGIN SOLUTION
    return (i - k + 2 * p) // s + 1
    ### END SOLUTION


# %% tags=["check:output_size", "nbval-check-output"]
check.output_size(output_size)

# %% [markdown]
# ### Exercise 2: a convolution
#
# Write `convolve(image, kernel)` without padding and with stride 1 (this is called *valid*). `image`
# has the shape `(h, w)`, `kernel` has the shape `(kh, kw)`, and the result
# `(h - kh + 1, w - kw + 1)`. The output `[i, j]` is the sum over the window whose top left corner is
# the pixel `[i, j]`:
#
# $$\text{out}[i, j] = \sum_{a, b} \text{image}[i + a,\, j + b] \cdot \text{kernel}[a, b]$$
#
# `convolve([[1, 2], [3, 4]], [[10, 1]])`, as arrays, is `[[12], [34]]`. Two loops are fine.
#
# <details><summary>Hint 1</summary>
#
# `image[i : i + kh, j : j + kw]` is the window. Multiply it with the kernel and use `np.sum`.
# </details>
# <details><summary>Hint 2</summary>
#
# Begin with `out = np.zeros((h - kh + 1, w - kw + 1))`, then fill it with two loops over its indices.
# </details>


# %% tags=["exercise:convolve"]
def convolve(image, kernel):
    """Return the valid convolution of an (h, w) image with a (kh, kw) kernel."""
    ### BEGIN SOLUTION
    (h, w), (kh, kw) = image.shape, kernel.shape
    out = np.zeros((h - kh + 1, w - kw + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return out
    ### END SOLUTION


# %% tags=["check:convolve:2", "nbval-check-output"]
check.convolve(convolve)

# %% [markdown]
# SciPy has this function too. We use it from here on, so you can go on even if yours isn't ready.
# SciPy calls it `correlate2d`. Its `convolve2d` first turns the kernel by 180 degrees, as
# mathematicians define a convolution. A network learns its kernels, so a turn would make no
# difference: **deep learning leaves it out and says convolution all the same**.
#
# Four results follow; check the first number of one or two by hand. The second
# image and its kernel are an example from Dumoulin and Visin (2016). The last line is one step of a
# *Sobel* kernel, which subtracts the left column from the right one.

# %%
from scipy.signal import convolve2d, correlate2d

image = np.array(
    [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
)
kernel = np.array([[0, 1, 2], [2, 2, 0], [0, 1, 2]])
sobel_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
corner = np.array([[2, 2, 6], [4, 3, 4], [3, 9, 4]])
for text, result in [
    ("the ones and zeros", correlate2d(binary, cross, mode="valid")),
    ("Dumoulin and Visin", correlate2d(image, kernel, mode="valid")),
    ("the same with the kernel turned", convolve2d(image, kernel, mode="valid")),
    ("one step of Sobel", correlate2d(corner, sobel_x, mode="valid")),
]:
    print(text, result, sep="\n")

# %% [markdown]
# The second and the third result differ, because the kernel isn't the same after a turn. The cross
# above is, so for it you could not tell the two functions apart.
#
# ### Exercise 3: padding and stride
#
# Write `convolve_strided(image, kernel, padding, stride)`. First put `padding` zeros around the image
# on all four sides. Then the kernel moves `stride` pixels at a time, down and to the right: the
# corner of its window for the output `[i, j]` is the pixel `[i * stride, j * stride]`.
#
# `image` and `kernel` from the last cell, with padding 1 and stride 2, give
# `[[6, 17, 3], [8, 17, 13], [6, 4, 4]]`.
#
# <details><summary>Hint 1</summary>
#
# `np.pad(image, 1)` puts one zero on every side.
# </details>
# <details><summary>Hint 2</summary>
#
# You may compute all positions with `correlate2d(..., mode="valid")` and keep every s-th one. Which
# slice does that? A real implementation doesn't compute the others at all.
# </details>


# %% tags=["exercise:convolve_strided"]
def convolve_strided(image, kernel, padding, stride):
    """Return the convolution of an (h, w) image with a (kh, kw) kernel, padded and strided."""
    ### BEGIN SOLUTION
    padded = np.pad(image, padding)
    return correlate2d(padded, kernel, mode="valid")[::stride, ::stride]
    ### END SOLUTION


# %% tags=["check:convolve_strided:2", "nbval-check-output"]
check.convolve_strided(convolve_strided)

# %% [markdown]
# Keras wants two more axes: the image in a batch and its channels, `(batch, h, w, channels)`. So
# the image becomes `(1, 5, 5, 1)`, and the kernel `(3, 3, 1, 1)`: rows, columns, channels in,
# filters out. (`None` in an index adds an axis.)
#
# A layer knows two kinds of padding. `"valid"` is none. `"same"` adds as many zeros as are needed for
# `size / stride` outputs, rounded up. Look for the matrix of exercise 3.

# %%
import keras

keras.utils.set_random_seed(3)
layer = keras.layers.Conv2D(1, 3, strides=2, padding="same", use_bias=False)
layer.build((None, 5, 5, 1))
layer.set_weights([kernel[:, :, None, None]])
output = layer(image[None, :, :, None].astype("float32"))
keras.ops.convert_to_numpy(output)[0, :, :, 0]

# %% [markdown]
# Here is the matrix again: Keras slides the kernel as it is.
#
# ## Filters on a photograph
#
# ### Exercise 4: read a kernel
#
# What does each of these five kernels do to a photograph? Give each letter one name from this list,
# **before** you see the pictures: `"identity"` (nothing changes), `"blur"`, `"sharpen"`,
# `"vertical edges"` (lights up where left and right differ), `"horizontal edges"` (lights up where
# above and below differ).
#
# An example: a kernel with a single 1, above the middle and nothing else, takes the pixel above. It
# would move the whole picture down by one pixel.
#
# <details><summary>Hint 1</summary>
#
# Apply the kernel in your head to flat gray, where all nine pixels are equal. The result is the sum
# of the weights times that gray. Is the sum 1 or 0?
# </details>
# <details><summary>Hint 2</summary>
#
# In a mean every weight is positive. A negative weight takes something of a neighbor away.
# </details>

# %% tags=["exercise:recognize"]
kernels = {
    "A": np.array([[1, 1, 1], [1, 1, 1], [1, 1, 1]]) / 9,
    "B": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "C": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "D": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "E": np.array([[-1, -1, -1], [-1, 17, -1], [-1, -1, -1]]) / 9,
}
names = {"A": None, "B": None, "C": None, "D": None, "E": None}
### BEGIN SOLUTION
names = {"A": "blur", "B": "horizontal edges", "C": "identity"}
names |= {"D": "vertical edges", "E": "sharpen"}
### END SOLUTION

# %% tags=["check:recognize", "nbval-check-output"]
check.recognize(names, kernels)

# %% [markdown]
# Now the pictures, a piece of the photograph in gray. Look at the roof: where do its slanted edges and
# the tiles appear, in B and in D? Compare how fine the details are in A, C and E.
#
# The last line tests a rule that is worth knowing: **sharpen is twice the picture minus its blur**.

# %%
photo = data.photo()
gray = photo[125:387, 120:470].mean(axis=-1) / 255
filtered = {letter: correlate2d(gray, k, mode="valid") for letter, k in kernels.items()}
figure, axes = plt.subplots(2, 3, figsize=(7.6, 4.1))
for axis, (letter, picture) in zip(axes.flat, [("gray", gray), *filtered.items()], strict=True):
    axis.imshow(picture, vmin=-1 if letter in "BD" else 0, vmax=1)
    axis.set_title(letter)
for axis in axes.flat:
    axis.axis("off")
print("E is 2 C - A:", np.allclose(kernels["E"], 2 * kernels["C"] - kernels["A"]))
plots.show(
    figure,
    alt="A gray photograph of a temple and the results of kernels A to E. A is blurred, C looks "
    "the same, E is crisper; B and D are gray with bright and dark lines, horizontal in B and "
    "vertical in D.",
)

# %% [markdown]
# A is smooth, C unchanged, E crisp. In B and D, flat regions are gray (a sum of 0), and edges are
# white or black, by their direction: B answers to horizontal lines, such as the eaves, D to
# vertical ones, such as the pillars. Slanted lines, such as the edges of the roof and the rows of
# tiles, appear in both.
#
# ## Channels and filters
#
# A color image has three channels. Then a filter has **three planes**, one for each channel. Each
# plane slides over its channel, the three results are **added**, and one number is added to the sum,
# the *bias*. So a filter makes one number at each position, however many channels there are.
#
# Below are one window of a color image, written channel by channel, and the three planes of one
# filter. Each channel is multiplied by its plane, number by number, and summed; then everything is
# added.

# %%
window = np.array(
    [
        [[0, 0, 0], [0, 156, 155], [0, 153, 154]],
        [[0, 0, 0], [0, 167, 166], [0, 164, 165]],
        [[0, 0, 0], [0, 163, 162], [0, 160, 161]],
    ]
)
planes = np.array(
    [
        [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
        [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
        [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
    ]
)
red, green, blue = (window * planes).sum(axis=(1, 2))
print(f"red {red}, green {green}, blue {blue}, bias 1: together {red + green + blue + 1}")

# %% [markdown]
# ### Exercise 5: a layer
#
# A layer has many filters, and the output has **one plane for each filter**. Write
# `conv_layer(image, kernels, bias)` without padding and with stride 1:
#
# - `image` has the shape `(h, w, c_in)`,
# - `kernels` has the shape `(kh, kw, c_in, c_out)`,
# - `bias` has the shape `(c_out,)`,
# - the result has the shape `(h - kh + 1, w - kw + 1, c_out)`.
#
# For example, a 1 x 1 image with the two channels `[[[3, 4]]]`, the kernels `[[[[1, 0], [2, 5]]]]` of
# shape `(1, 1, 2, 2)` and the bias `[100, 0]` give `[[[111, 20]]]`: 3 * 1 + 4 * 2 + 100, and
# 3 * 0 + 4 * 5 + 0.
#
# <details><summary>Hint 1</summary>
#
# Channel c of the image is `image[..., c]`, and it meets `kernels[:, :, c, f]` of filter f.
# </details>
# <details><summary>Hint 2</summary>
#
# Make each plane with `correlate2d` and a sum over c, collect the planes in a list, and put them
# together with `np.stack(list_of_planes, axis=-1)`.
# </details>


# %% tags=["exercise:conv_layer"]
def conv_layer(image, kernels, bias):
    """Return (oh, ow, c_out) from (h, w, c_in), (kh, kw, c_in, c_out) and (c_out,)."""
    ### BEGIN SOLUTION
    channels, filters = kernels.shape[2:]
    out = []
    for f in range(filters):
        parts = [
            correlate2d(image[..., c], kernels[:, :, c, f], mode="valid") for c in range(channels)
        ]
        out.append(sum(parts) + bias[f])
    return np.stack(out, axis=-1)
    ### END SOLUTION


# %% tags=["check:conv_layer:2", "nbval-check-output"]
check.conv_layer(conv_layer)

# %% [markdown]
# ### A kernel of one pixel
#
# A 1 x 1 convolution sees no neighbors at all. It still does something: it **mixes the channels**
# of each pixel, the same way everywhere. Below, two filters turn the three colors into two new
# channels. The first has the weights 0.3, 0.59 and 0.11, nearly those of lab 00. The second has 1,
# -0.5 and -0.5: red minus the mean of the others. What will be bright in the second picture?

# %%
mix = np.array([[0.3, 1], [0.59, -0.5], [0.11, -0.5]], dtype="float32").reshape(1, 1, 3, 2)
colors = photo[None].astype("float32") / 255
brightness, redness = np.moveaxis(keras.ops.convert_to_numpy(keras.ops.conv(colors, mix))[0], -1, 0)
plots.show(
    plots.images([colors[0], brightness, redness], ["image", "filter 1", "filter 2"], 3, 2.6),
    alt="The color photograph, the result of the first filter, which is its gray version, and "
    "that of the second, in which the red parts of the pagoda are the brightest and the sky is "
    "the darkest.",
)

# %% [markdown]
# The first filter makes gray from color. The second finds red: the walls and roofs shine, and the sky
# is dark. Three channels went in, two came out.
#
# ## How far a pixel can see
#
# One kernel of 3 x 3 sees nine pixels. But a second layer looks at numbers that have seen nine
# pixels each. The part of the image that one output can see is its **receptive field**. To find out
# how large it becomes, we light a single pixel and let it pass through one, two and three layers
# whose weights are all 1. The outputs that light up are those that see this pixel, and each of them
# sees a region just as wide. Count its width.

# %%
picture = np.zeros((1, 11, 11, 1), dtype="float32")
picture[0, 5, 5, 0] = 1
ones = np.ones((3, 3, 1, 1), dtype="float32")
fields = []
for _ in range(3):
    picture = keras.ops.convert_to_numpy(keras.ops.conv(picture, ones, padding="same"))
    fields.append(picture[0, :, :, 0])
widths = [int((field[5] > 0).sum()) for field in fields]
titles = [f"{n} layer{'s' * (n > 1)}: {width} x {width}" for n, width in enumerate(widths, 1)]
plots.show(
    plots.images(fields, titles, size=2.2),
    alt="Three pictures of 11 by 11 pixels. The lit square in the middle is 3, 5 and 7 pixels wide, "
    "brightest in its center.",
)

# %% [markdown]
# Each layer of 3 x 3 adds one pixel on every side: 3, 5, 7. A stride of 2 doubles what all later
# layers add. So deep layers see large parts of the image, although every kernel is small.
#
# ## Few weights, used everywhere
#
# A dense layer connects every input with every output. A convolution differs in two ways: an output
# sees a small window only (**local connectivity**), and all windows use the same weights (**parameter
# sharing**).
#
# ### Exercise 6: count parameters
#
# Write `conv_parameters(k, c_in, c_out)` for a layer with kernels of `k` x `k`, and
# `dense_parameters(inputs, units)`. Both layers have biases. `conv_parameters(3, 1, 2)` is 20: two
# filters of nine weights, and two biases. `dense_parameters(4, 3)` is 15.
#
# <details><summary>Hint</summary>
#
# How many weights has **one** filter? It has a plane for each input channel. How many biases has it?
# </details>


# %% tags=["exercise:count_parameters"]
def conv_parameters(k, c_in, c_out):
    """Return the number of weights and biases of a convolution."""
    ### BEGIN SOLUTION
    return k * k * c_in * c_out + c_out
    ### END SOLUTION


def dense_parameters(inputs, units):
    """Return the number of weights and biases of a dense layer."""
    ### BEGIN SOLUTION
    return inputs * units + units
    ### END SOLUTION


# %% tags=["check:count_parameters", "nbval-check-output"]
check.count_parameters(conv_parameters, dense_parameters)

# %% [markdown]
# The first layer of AlexNet (Krizhevsky, Sutskever and Hinton, 2012), the network that made CNNs
# famous, takes a color image of 227 x 227 pixels. It has 96 filters of 11 x 11 with stride 4. Let us
# ask Keras for its parameters, and count what a dense layer with the same output would need.

# %%
alexnet = keras.layers.Conv2D(96, 11, strides=4)
shape = (227, 227, 3)
alexnet.build((None, *shape))
outputs = alexnet.compute_output_shape((None, *shape))[1:]
dense = np.prod(shape) * np.prod(outputs) + np.prod(outputs)
print(f"output {outputs}: {np.prod(outputs):,} numbers")
print(f"convolution: {alexnet.count_params():,} parameters")
print(f"dense layer: {dense:,} parameters, {dense / alexnet.count_params():,.0f} times as many")

# %% [markdown]
# The savings come from the two ideas above: the dense layer has a weight for every pair of an input
# and an output; the convolution has weights for one small window, and the same ones everywhere.
#
# ## Reading digits with features made by hand
#
# Now a real task. The line below the cell says which digits this machine has. Each is 28 x 28 pixels,
# and the question is always which of the ten digits it shows.

# %%
digits = data.mnist()
print(digits.x_train.shape, digits.x_test.shape)
plots.show(
    plots.images(digits.x_train[:20], digits.y_train[:20]),
    alt="Twenty handwritten digits, white on black, each with its label above it.",
)

# %% [markdown]
# Before networks learned their features, people designed them. A famous design is the **histogram of
# oriented gradients** (Dalal and Triggs, 2005). Ours is a short version of it:
#
# 1. At each pixel, take the difference right - left and the difference below - above. These are two
#    convolutions, with the kernel `[-1, 0, 1]` along each axis.
# 2. Taken as an arrow, they give the strength of the edge (the arrow's length) and its direction,
#    which falls into one of eight bins of 22.5 degrees. Opposite directions count as the same.
# 3. Cut the image into 7 x 7 cells of 4 x 4 pixels. In each cell, add up the strength in each bin.
# 4. Divide each cell's histogram by its length as a vector, so that thick and thin strokes look
#    alike.
#
# So an image becomes 7 x 7 x 8 = 392 numbers: *how much edge, in which direction, roughly where*.


# %%
def oriented_gradients(images, bins=8, cell=4):
    """Return (n, 7 * 7 * bins) histograms of edge directions from (n, 28, 28) images."""
    x = images.astype("float32") / 255
    dx, dy = np.zeros_like(x), np.zeros_like(x)
    dx[:, :, 1:-1] = x[:, :, 2:] - x[:, :, :-2]
    dy[:, 1:-1] = x[:, 2:] - x[:, :-2]
    strength = np.hypot(dx, dy)
    # An edge and its opposite count as the same direction: angles modulo 180 degrees.
    direction = np.floor(np.arctan2(dy, dx) / np.pi * bins).astype("int8") % bins
    cells = (len(x), 28 // cell, cell, 28 // cell, cell)
    histograms = np.stack(
        [(strength * (direction == b)).reshape(cells).sum(axis=(2, 4)) for b in range(bins)], -1
    )
    histograms /= np.sqrt(np.sum(histograms**2, axis=-1, keepdims=True) + 0.1)
    return histograms.reshape(len(x), -1)


# %% [markdown]
# Three classifiers from scikit-learn: a linear one (`LogisticRegression`, the softmax regression of
# lab 01) on the bare pixels, then a linear one and a *random forest* (many decision trees that
# vote) on the histograms. All are fitted to all training images, in less than half a minute on two
# cores. Do the histograms help the linear classifier?

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

labels = digits.y_train
pixels = digits.x_train.reshape(-1, 784) / np.float32(255)
parts = np.array_split(digits.x_train, 10)  # in parts, to save memory
histograms = np.concatenate([oriented_gradients(part) for part in parts])
linear, hog_linear = LogisticRegression(tol=0.001), LogisticRegression(tol=0.001)
forest = RandomForestClassifier(50, n_jobs=2, random_state=3)
tasks = [(linear, pixels), (hog_linear, histograms), (forest, histograms)]
for classifier, x in training.track(tasks):
    classifier.fit(x, labels)
del pixels, histograms, tasks, x

pixels_test = digits.x_test.reshape(-1, 784) / np.float32(255)
hog_test = oriented_gradients(digits.x_test)
accuracy = {
    "linear, pixels": linear.score(pixels_test, digits.y_test),
    "linear, histograms": hog_linear.score(hog_test, digits.y_test),
    "forest, histograms": forest.score(hog_test, digits.y_test),
}
accuracy

# %% [markdown]
# They help a lot: the same classifier, on better features. But somebody had to think of edges, of
# eight bins, of cells. A network finds its own.
#
# All networks below are trained in the same way. The learning rate starts small (*warm-up*), rises
# for a tenth of the steps, and then falls along a cosine to zero: the first steps break nothing, and
# the last ones settle.


# %%
def train(network, images, labels, epochs, batch_size=128, validation=0.0):
    """Compile a network and fit it; the share `validation` of the images is kept apart."""
    steps = epochs * int(len(images) * (1 - validation)) // batch_size
    schedule = keras.optimizers.schedules.CosineDecay(
        2e-4, decay_steps=int(0.9 * steps), warmup_target=4e-3, warmup_steps=int(0.1 * steps)
    )
    optimizer = keras.optimizers.Adam(schedule)
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    settings = {"validation_split": validation, "callbacks": training.progress()}
    return network.fit(images, labels, batch_size, epochs, verbose=0, **settings)


# %% [markdown]
# The first network, for comparison, is the multilayer perceptron (MLP): one hidden layer of 128. Six
# epochs take less than ten seconds.

# %%
mlp = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
x_train, x_test = digits.x_train[..., None], digits.x_test[..., None]
train(mlp, x_train, digits.y_train, epochs=6)
accuracy["MLP"] = mlp.evaluate(x_test, digits.y_test, verbose=0, return_dict=True)["accuracy"]
accuracy["MLP"]

# %% [markdown]
# ## Features that are learned: a CNN
#
# ### Exercise 7: build the CNN
#
# Build `model` with Keras, as one `keras.Sequential` (or with the functional API, if you know it):
#
# 1. the input `(28, 28, 1)` and a `Rescaling(1 / 255)`, for the pixels come as 0-255;
# 2. three convolutions with padding `"same"` and stride 1. After the first and the second a
#    `MaxPooling2D(2)` keeps the largest of every 2 x 2 numbers (lab 04 is about that):
#
#    | | filters | kernel | its maps | after pooling |
#    |---|---|---|---|---|
#    | first | 16 | 5 x 5 | 28 x 28 x 16 | 14 x 14 x 16 |
#    | second | 32 | 5 x 5 | 14 x 14 x 32 | 7 x 7 x 32 |
#    | third | 64 | 3 x 3 | 7 x 7 x 64 | no pooling |
#
#    Each of the three is followed by a `BatchNormalization(momentum=0.9)` and a `ReLU`, best after
#    the pooling, where they have less to compute. The batch normalization centers and scales each
#    channel over the batch, which makes training faster. For use after the training it keeps
#    running means over the batches; its default momentum, 0.99, forgets too slowly for a training
#    as short as ours. A bias in front of it has no effect: `use_bias=False` is usual;
# 3. `Flatten` (it puts all numbers in one row), `Dropout(0.1)` (it hides 10 % of them while
#    training, against overfitting) and a dense layer of 10 with `softmax`.
#
# <details><summary>Hint 1</summary>
#
# `keras.layers.Conv2D(16, 5, padding="same", use_bias=False)` is the first convolution.
# </details>
# <details><summary>Hint 2</summary>
#
# `keras.Sequential` takes a list of layers. It begins with `keras.Input((28, 28, 1))`.
# </details>

# %% tags=["exercise:cnn"]
model = None
### BEGIN SOLUTION
layers = [keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255)]
for filters, size, pooled in [(16, 5, True), (32, 5, True), (64, 3, False)]:
    layers.append(keras.layers.Conv2D(filters, size, padding="same", use_bias=False))
    if pooled:
        layers.append(keras.layers.MaxPooling2D(2))
    layers += [keras.layers.BatchNormalization(momentum=0.9), keras.layers.ReLU()]
layers += [
    keras.layers.Flatten(),
    keras.layers.Dropout(0.1),
    keras.layers.Dense(10, activation="softmax"),
]
model = keras.Sequential(layers)
### END SOLUTION

# %% tags=["check:cnn:2"]
check.cnn(model)

# %% [markdown]
# Now we train it. A twentieth of the training images is kept apart to validate. This takes about
# a minute on two cores.
#
# Look for two things in the plot: how good is the CNN after **one** epoch? Do the curves part at the
# end, which would mean overfitting?

# %%
epochs = 4 if digits.source.real else 6  # the offline digits are fewer
history = train(model, x_train, digits.y_train, epochs, validation=0.05)
plots.show(
    plots.learning_curves(history),
    alt="Accuracy by epoch in training and validation. Training rises steeply at first, "
    "then slowly; validation starts higher and rises slowly, and at the end lies a little below.",
)

# %% [markdown]
# Most of the learning happens in the first epoch. In the end training lies above validation: the
# CNN overfits, too, but the gap is smaller than that of the MLP in lab 01. (In the first epoch it
# lies below, because it is a mean over the epoch, with dropout.)
#
# Now the test set. The table compares error rates, because close to 100 % the errors tell more than
# the accuracy. The last column says how many errors a method makes for each error of the CNN.

# %%
probabilities = model.predict(x_test, batch_size=500, verbose=0)
predicted = probabilities.argmax(axis=-1)
accuracy["CNN"] = float(np.mean(predicted == digits.y_test))
for name, value in accuracy.items():
    ratio = (1 - value) / (1 - accuracy["CNN"])
    print(f"{name:20} accuracy {value:7.2%}   errors {1 - value:6.2%}   {ratio:5.1f} x CNN")
check.reached(
    "test accuracy",
    accuracy["CNN"],
    at_least=0.992 if digits.source.real else 0.96,
    hint="Build the model anew with the cell of exercise 7, and train it again from there.",
)

# %% [markdown]
# With features by hand the linear classifier makes far fewer errors than with pixels. The CNN beats
# them all, and nobody designed its features.
#
# ## What the network has learned
#
# The first picture shows weights: a row for each convolution, and in it eight of its filters (of
# each filter only the plane for the first channel). In the first row look for kernels with a bright
# and a dark side: what did we call such a kernel? The second picture shows **feature maps**, what
# eight filters of each layer give for the first test digit (before normalization and ReLU). How do
# they change from layer to layer?

# %%
convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
titles = [f"layer {n}" if f == 0 else "" for n in (1, 2, 3) for f in range(8)]
weights = [layer.get_weights()[0][:, :, 0, f] for layer in convolutions for f in range(8)]
plots.show(
    plots.images(weights, titles, columns=8),
    alt="Three rows of eight small kernels in gray. Those of layer 1 are 5 by 5 and some have a "
    "bright and a dark side; those of layer 2, 5 by 5, and layer 3, 3 by 3, show no clear one.",
)
viewer = keras.Model(model.inputs, [layer.output for layer in convolutions])
maps = [keras.ops.convert_to_numpy(m)[0] for m in viewer([x_test[:1].astype("float32")])]
plots.show(
    plots.images([m[:, :, f] for m in maps for f in range(8)], titles, columns=8),
    alt="Three rows of eight feature maps of one digit. In layer 1 the digit is sharp and "
    "outlined in different directions; in layer 2 it is coarser; in layer 3 it is a "
    "patchwork of 7 by 7 gray squares.",
)

# %% [markdown]
# Some kernels of the first layer are rough edge detectors: bright on one side, dark on the other.
# Nobody asked for them. Their maps still show the digit, lit from different sides. The kernels of the
# deeper layers say nothing to the eye, because each is one plane of many, and their maps are coarse:
# they no longer tell *what it looks like* but *what is where*.
#
# ## Where it fails
#
# First the ten mistakes of which the network was most certain, with true and predicted digit. Would
# you have read them? Then the **confusion matrix**: rows are the true digits, columns the answers, and
# the color marks mistakes. Which pairs are hard?

# %%
wrong = np.flatnonzero(predicted != digits.y_test)
wrong = wrong[np.argsort(-probabilities[wrong].max(axis=-1))][:10]
titles = [f"{digits.y_test[i]} read as {predicted[i]}" for i in wrong]
plots.show(
    plots.images(digits.x_test[wrong], titles, columns=5, size=1.3),
    alt="Ten test digits that the network misread, with the true digit and the answer above each.",
)
plots.show(
    plots.confusion(digits.y_test, predicted, names=range(10)),
    alt="Confusion matrix of the ten digits. Nearly all counts lie on the diagonal; the few mistakes "
    "are mostly between digits that look alike.",
)

# %% [markdown]
# Some of these digits are drawn so badly that people would argue about them. Most mistakes are
# between digits that share strokes.
#
# ## What if there is no picture?
#
# Take one fixed random order of the 784 pixels and shuffle **every** image by it, for training and for
# testing. No information is lost: the same pixel always goes to the same place.
#
# ### Exercise 8: predict it
#
# We train an MLP and a CNN from scratch on plain and on shuffled images, with the same small budget.
# Is each of them about as good on shuffled images as on plain ones, or clearly worse? Write `"same"`
# (within two percentage points) or `"worse"` for both, **before** you run the experiment.
#
# <details><summary>Hint</summary>
#
# Which of the two networks would change if you numbered the pixels of its input in another order?
# </details>

# %% tags=["exercise:shuffle"]
prediction = {"MLP": None, "CNN": None}
### BEGIN SOLUTION
prediction = {"MLP": "same", "CNN": "worse"}
### END SOLUTION

# %% [markdown]
# Four short trainings follow, two epochs on 12,000 images each: 20 to 40 seconds on two cores.
# `clone_model` makes the same network with new weights. Each pair of numbers is the accuracy on plain
# and on shuffled test images.

# %%
plain, shuffled = np.arange(784), np.random.default_rng(3).permutation(784)
measured = {}
for name, network in [("MLP", mlp), ("CNN", model)]:
    scores = []
    for order in (plain, shuffled):
        x, x_new = (
            images.reshape(-1, 784)[:, order].reshape(-1, 28, 28, 1)
            for images in (x_train[:12000], x_test)
        )
        fresh = keras.models.clone_model(network)
        train(fresh, x, digits.y_train[:12000], epochs=2, batch_size=64)
        result = fresh.evaluate(x_new, digits.y_test, verbose=0, return_dict=True)
        scores.append(round(result["accuracy"], 4))
    measured[name] = scores
measured

# %% tags=["check:shuffle"]
check.shuffle(prediction, measured)

# %% [markdown]
# The MLP gives each pixel weights of its own, so the order of its inputs means nothing to it. The CNN
# **assumes** that neighbors belong together and that a pattern means the same everywhere. For pictures
# this is true, and it is why the CNN wins. Where it is false, the CNN loses most of its advantage, at
# many times the cost of computing. Ask this about your own data before you choose a network.

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - A convolution slides a kernel over an image: products, added up, at each position. Deep learning
#   doesn't turn the kernel. The output has floor((i - k + 2p) / s) + 1 numbers along an axis.
# - A filter has a plane for each input channel and one bias; a layer has one output plane for each
#   filter. A kernel of 1 x 1 mixes channels; a stack of small kernels sees far.
# - Few weights, used everywhere: that makes a convolution cheap and fits what pictures are like.
# - On the digits a CNN makes fewer errors than an MLP or features made by hand. It fails on some
#   digits that are hard for people, too. Shuffled pixels cost it most of its advantage.
#
# ### Go further
#
# - Train the CNN on a tenth of the images. Does the order of the methods in the table change?
# - Put one more layer in, or leave the batch normalization out. What changes, the speed or the end?
# - Which digits are confused with the histograms, and are they the same as for the CNN?
# - Write `conv_layer` without loops, with `np.lib.stride_tricks.sliding_window_view` and `np.einsum`.
#   How much faster is it?
#
# ### References
#
# - V. Dumoulin and F. Visin (2016): *A guide to convolution arithmetic for deep learning*.
#   arXiv:1603.07285.
# - Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998): *Gradient-based learning applied to document
#   recognition*. Proceedings of the IEEE 86, 2278-2324. The first CNN on MNIST.
# - N. Dalal and B. Triggs (2005): *Histograms of oriented gradients for human detection*. CVPR.
# - A. Krizhevsky, I. Sutskever and G. Hinton (2012): *ImageNet classification with deep convolutional
#   neural networks*. NeurIPS. (AlexNet.)
# - S. Ioffe and C. Szegedy (2015): *Batch normalization: accelerating deep network training by reducing
#   internal covariate shift*. ICML.
