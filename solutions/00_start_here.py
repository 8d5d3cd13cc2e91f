# %% [markdown]
# # Start here: the machine, an exercise, and what a picture is
#
# After this lab you will be able to
#
# - tell what machine you work on and which data sets are real here,
# - work through an exercise: fill a blank, run its check, read what it says,
# - read a picture as an array of numbers: height, width, channels,
# - change those numbers without falling into the traps of 8-bit arithmetic and of axis order.
#
# You need about 45 minutes. The computing takes seconds and 1 GB of memory, with or without an
# internet connection. The pictures are a photograph that comes with scikit-learn, and digits: real
# handwriting (MNIST) where it is at hand, else the course's own.

# %% [markdown]
# ## The machine you work on
#
# A notebook is a list of cells. Click on the cell below and press **Shift-Enter**: it runs, and the
# next cell is selected. As long as a cell runs, `[*]` stands beside it; this one takes some seconds.
#
# It reports what the course finds here. Read the line *Device*: every lab runs on two CPU cores, and a
# GPU only makes it faster. Then read the last line: if it is not *Ready.*, the lines above it that
# begin with *Problem* say what to do.

# %%
from helpers import environment

environment.report()

# %% [markdown]
# The lines below the packages say where each data set comes from: MNIST, for example, is the set of
# digits that this lab uses. A data set that is not on this machine is replaced by one that the course
# brings along, and every lab says which of the two it uses.
#
# Lines like these begin most labs: NumPy for arrays; `data` and `plots` for the data sets and the
# figures of the course; `check` for the checks of this lab.

# %%
import numpy as np

from helpers import data, plots
from helpers.checks import start as check

# %% [markdown]
# ## How an exercise works
#
# An exercise is a cell with a blank, `...`, and a cell below it that checks your answer. The check
# answers one of three things:
#
# - **✔ Correct**: go on.
# - **○ Not attempted**: the blank is still there. (Run as it is, some blanks print `Ellipsis`: that is
#   Python's name for the three dots.)
# - **✘ Not yet**: it says what it tried, what came back and where to look.
#
# A check that does not say *Correct* stops *Run all* at its cell. This is intended: nothing is broken.
#
# `NameError: name 'check' is not defined`, or any other name: Python has not run the cell that makes
# it, or was started anew since. Run the cells from the top.
#
# ### Exercise 1: double a number
#
# Write a function that returns twice its argument: `double(3)` is `6`. Run the check **before** you
# fill the blank, then with a wrong answer (`x + 2`, say), then with the right one. Then you have seen
# all three answers.
#
# <details><summary>Hint</summary>
#
# Delete the dots and write `return` followed by what the function gives back. After every change,
# run the cell with your function first, then the cell with the check.
# </details>


# %% tags=["exercise:double"]
def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% tags=["check:double", "nbval-check-output"]
check.double(double)

# %% [markdown]
# ## A picture is an array of numbers
#
# Here is a photograph of a pagoda. A screen shows colors; Python holds numbers.
#
# `plots.images` draws a list of pictures, each `size` inches wide. `plots.show` displays the figure
# with a text (`alt`) for readers who can't see it.

# %%
photo = data.photo()
plots.show(
    plots.images([photo], size=5),
    alt="A photograph: a red pagoda with orange roofs among trees, a lake and a pale blue sky.",
)

# %% [markdown]
# The picture is one array. Its `dtype` is `uint8`: whole numbers of eight bits, from 0 (dark) to
# 255 (bright). Its `shape` counts **rows first**, then columns, then the numbers in each pixel.

# %%
photo.dtype, photo.shape, photo.min(), photo.max()

# %% [markdown]
# One pixel is three numbers: how much red, green and blue light it sends out. This one lies in the
# sky, 20 rows from the top and 300 columns from the left. All three numbers are high, so it is
# bright; the last one is the highest, so it is a pale **blue**.

# %%
photo[20, 300]

# %% [markdown]
# ### Exercise 2: read a shape
#
# Set `height`, `width` and `channels` of the photograph from `photo.shape`, rather than by typing
# numbers: the next photograph has another size. For an array of shape `(2, 5, 3)` they would be 2, 5
# and 3.
#
# <details><summary>Hint</summary>
#
# A shape is a tuple, and a tuple can be unpacked: `a, b = (1, 2)`.
# </details>

# %% tags=["exercise:image_size"]
height = width = channels = None
### BEGIN SOLUTION
height, width, channels = photo.shape
### END SOLUTION

# %% tags=["check:image_size", "nbval-check-output"]
check.image_size(height, width, channels, photo)

# %% [markdown]
# ## Red, green and blue planes
#
# The last axis holds the colors, so `photo[..., 0]` is the whole red plane: a matrix of shape
# `(height, width)`. These dots are no blank: in an index they stand for "all of the other axes".
#
# Look at the sky and at the orange roofs: in which plane is each of them brightest, in which darkest?

# %%
planes = [photo[:, :320, channel] for channel in range(3)]  # the left half, to see it larger
plots.show(
    plots.images(planes, titles=["red", "green", "blue"], columns=3, size=1.9),
    alt="The red, green and blue planes of the photograph as three gray pictures. "
    "The sky is brightest in the blue plane, the roofs are brightest in the red one.",
)

# %% [markdown]
# A plane alone has no color: it is drawn in gray, black at 0 and white at 255. The sky is brightest
# in the blue plane and darkest in the red one; with the roofs it is the other way round.
#
# The means over a piece of each say the same. A slice `[rows, columns]` cuts a piece out, and
# `mean(axis=(0, 1))` takes the mean over its rows and columns (the axes 0 and 1), so that the last
# axis is left: red, green, blue.

# %%
sky, roof = photo[:50, :300], photo[260:275, 230:270]
print("sky: ", sky.mean(axis=(0, 1)).round())
print("roof:", roof.mean(axis=(0, 1)).round())

# %% [markdown]
# ### Exercise 3: keep only the red
#
# Write `only_red(image)`: a picture of the **same shape** `(h, w, 3)` and of the same type, whose green
# and blue are zero. The pixel `[10, 20, 30]` becomes `[10, 0, 0]`. The original must stay as it is.
#
# <details><summary>Hint 1</summary>
#
# `result = image.copy()` makes a new array. What you assign to parts of `result` then leaves `image`
# as it is.
# </details>
# <details><summary>Hint 2</summary>
#
# Red, green and blue have the indices 0, 1 and 2 on the last axis. `1:` means "from 1 on".
# </details>


# %% tags=["exercise:only_red"]
def only_red(image):
    """Return a copy of an (h, w, 3) picture with green and blue set to zero."""
    ### BEGIN SOLUTION
    result = image.copy()
    result[..., 1:] = 0
    return result
    ### END SOLUTION


# %% tags=["check:only_red", "nbval-check-output"]
check.only_red(only_red)

# %% [markdown]
# Adding the three one-color pictures gives the photograph back. Below, each plane is shown in its own
# color: this is what the red, green and blue dots of your screen do. The numbers of the sky are
# highest in blue. Which of the three skies *looks* brightest?

# %%
colored = [photo[:, :320] * (np.arange(3) == channel) for channel in range(3)]
plots.show(
    plots.images(colored, titles=["red", "green", "blue"], columns=3, size=1.9),
    alt="The photograph in shades of red, in shades of green and in shades of blue.",
)

# %% [markdown]
# ## Eight bits, and 0 to 1
#
# A `uint8` has 256 values, 0 to 255. What happens beyond? Think before you compute.
#
# ### Exercise 4: predict
#
# A picture of one pixel with the value 200 is brightened by 100:
# `np.array([200], "uint8") + np.array([100], "uint8")`. The result is a `uint8` again. Which number is
# it? Write your prediction first; the cell after the blank computes the true value.
#
# <details><summary>Hint</summary>
#
# Think of a clock: three hours after 11 it shows 2. This clock has 256 hours, 0 to 255.
# </details>

# %% tags=["exercise:wraparound"]
prediction = None
### BEGIN SOLUTION
prediction = 44
### END SOLUTION

# %% tags=["check:wraparound", "nbval-check-output"]
measured = np.array([200], "uint8") + np.array([100], "uint8")
check.wraparound(prediction, measured[0])

# %% [markdown]
# No error, and for arrays not even a warning. In a picture this looks as follows: on the left the
# photograph, on the right `photo + 100`. Look at the sky.

# %%
plots.show(
    plots.images([photo, photo + 100], titles=["photo", "photo + 100"], columns=2, size=3.4),
    alt="Left the photograph, right the same after adding 100 in 8-bit arithmetic: "
    "the sky and all bright places have become dark.",
)

# %% [markdown]
# The bright sky went past 255 and came out dark; only the dark places became brighter. Where only one
# or two of a pixel's numbers went past 255, its color is wrong.
#
# ### Exercise 5: brighten a picture
#
# Write `brighten(image, amount)`: add `amount` (it may be negative) to every number, but stop at
# 0 and at 255. The result is `uint8` again. With `amount=100` the values `[0, 100, 200]` become
# `[100, 200, 255]`.
#
# <details><summary>Hint 1</summary>
#
# `image.astype(int)` has room for large and negative numbers.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.clip(x, 0, 255)` replaces everything below 0 by 0 and everything above 255 by 255.
# </details>


# %% tags=["exercise:brighten"]
def brighten(image, amount):
    """Return a uint8 picture with `amount` added to each value, cut off at 0 and 255."""
    ### BEGIN SOLUTION
    return np.clip(image.astype(int) + amount, 0, 255).astype(np.uint8)
    ### END SOLUTION


# %% tags=["check:brighten", "nbval-check-output"]
check.brighten(brighten)

# %% [markdown]
# Networks compute with fractions, and they learn best from small numbers. So pictures are usually
# scaled from 0-255 to 0-1 before a network computes with them.
#
# ### Exercise 6: scale to 0-1
#
# Write `to_unit(image)`: `uint8` from 0 to 255 in, `float32` from 0 to 1 out. `[0, 51, 255]` becomes
# `[0.0, 0.2, 1.0]`.
#
# <details><summary>Hint</summary>
#
# Divide by the largest value that a `uint8` *can* have, and end with `.astype("float32")`.
# </details>


# %% tags=["exercise:to_unit"]
def to_unit(image):
    """Return a uint8 picture scaled to float32 values from 0 to 1."""
    ### BEGIN SOLUTION
    return (image / 255).astype("float32")
    ### END SOLUTION


# %% tags=["check:to_unit", "nbval-check-output"]
check.to_unit(to_unit)

# %% [markdown]
# What does it cost? A `float32` needs four bytes where a `uint8` needs one. A training set that
# fills 50 MB as `uint8` fills 200 MB as `float32`, and twice that as `float64`. Here is what our
# photograph needs, in kilobytes (kB).

# %%
{kind: photo.astype(kind).nbytes // 1000 for kind in ["uint8", "float32", "float64"]}  # kB

# %% [markdown]
# ## The order of the axes
#
# Keras expects `(height, width, channels)`, *channels last*. Other libraries, PyTorch among them,
# expect `(channels, height, width)`. The numbers are the same; their order is not.

# %%
import keras

keras.config.image_data_format()

# %% [markdown]
# ### Exercise 7: channels first
#
# Write `channels_first(image)`: from `(h, w, 3)` to `(3, h, w)`, so that `result[0]` is the red plane,
# the right way up. A picture of shape `(2, 4, 3)` becomes `(3, 2, 4)`.
#
# Several functions give that shape. One of them destroys the picture: the check recognizes it.
#
# <details><summary>Hint 1</summary>
#
# `reshape` never moves a number in memory: it only cuts the same row of numbers into other pieces.
# </details>
# <details><summary>Hint 2</summary>
#
# Read the help of `np.moveaxis` or of `np.transpose` (write `np.moveaxis?` in a cell and run it).
# </details>


# %% tags=["exercise:channels_first"]
def channels_first(image):
    """Return an (h, w, 3) picture as a (3, h, w) array."""
    ### BEGIN SOLUTION
    return np.moveaxis(image, -1, 0)
    ### END SOLUTION


# %% tags=["check:channels_first", "nbval-check-output"]
check.channels_first(channels_first)

# %% [markdown]
# Both pictures below are the first plane of an array of shape `(3, h, w)`. For A the axis was moved,
# for B the numbers were only cut into another shape. What is left of the pagoda?

# %%
moved = np.transpose(photo, (2, 0, 1))
cut = photo.reshape(moved.shape)
plots.show(
    plots.images([moved[0], cut[0]], titles=["A: axis moved", "B: reshaped"], columns=2, size=3.4),
    alt="Left the red plane of the photograph. Right the first plane after reshape: "
    "dotted rows in which the pagoda can't be recognized.",
)

# %% [markdown]
# B holds numbers of the same photograph, but they don't lie where they belong. A network can learn even
# from pictures in disorder (lab 01 tries it), so nobody would notice the mistake. Draw your data
# before you train on them.

# %% [markdown]
# ## From color to gray
#
# Handwritten digits need no color. The eye does not see the three colors as equally bright: of the
# three colored pictures above, the blue one looks darkest and the green one brightest. So a good gray
# is a weighted sum, here with the weights of the television standard BT.601:
#
# $$\text{gray} = 0.299\,\text{red} + 0.587\,\text{green} + 0.114\,\text{blue}$$
#
# ### Exercise 8: gray
#
# Write `to_gray(image)`: `(h, w, 3)` in, `(h, w)` out, floating point. The pixel `[100, 200, 50]`
# becomes `29.9 + 117.4 + 5.7 = 153.0`. The weights as an array are `np.array([0.299, 0.587, 0.114])`.
#
# <details><summary>Hint</summary>
#
# `image * weights` multiplies each pixel's three numbers by the three weights. What has to happen
# along the last axis then? `np.sum` has an argument `axis`. Or, in one step: the matrix product `@`.
# </details>


# %% tags=["exercise:to_gray"]
def to_gray(image):
    """Return the (h, w) gray values of an (h, w, 3) picture, weighted as in BT.601."""
    ### BEGIN SOLUTION
    return image @ np.array([0.299, 0.587, 0.114])
    ### END SOLUTION


# %% tags=["check:to_gray", "nbval-check-output"]
check.to_gray(to_gray)

# %% [markdown]
# ## Many pictures: a data set
#
# A data set puts pictures of one size on top of each other: one more axis, in front. The digits that
# many labs use have the shape `(number, height, width)`; each comes with a *label*, the digit it shows.
# `x_train` holds the pictures to learn from and `y_train` their labels; `x_test` and `y_test` are other
# pictures and labels, kept apart for the test.
#
# The line that `data.mnist()` prints says what you have. The real MNIST was written by hand. Most of
# the course's own digits are drawn strokes that a program varies; the others are made from small scans
# of handwriting, and a few from fonts.

# %%
digits = data.mnist()
digits.x_train.shape, digits.y_train.shape

# %% [markdown]
# Here is the first picture of a 3 as numbers, without most of its black border, and below it twenty
# digits as pictures. Can you follow the stroke in the numbers? (`np.argmax` gives the place of the
# first `True`.)

# %%
first = np.argmax(digits.y_train == 3)
print(digits.x_train[first, 5:23, 6:22])

# %%
plots.show(
    plots.images(digits.x_train[:20], titles=[str(label) for label in digits.y_train[:20]]),
    alt="Twenty digits, white on black, each with its label above it.",
)

# %% [markdown]
# ### A first experiment: does the mean picture recognize digits?
#
# The simplest program that learns: for each digit, the mean of all its training pictures. A new
# picture gets the label of the nearest mean. Look at the means first: where a digit is written in
# many ways, its mean is blurred. Compare the 0 with the 4.

# %%
means = np.stack([digits.x_train[digits.y_train == digit].mean(axis=0) for digit in range(10)])
plots.show(
    plots.images(means, titles=[str(digit) for digit in range(10)]),
    alt="The mean pictures of the ten digits: blurred, but each can be read.",
)

# %% [markdown]
# The ring of the 0 stays clear; the strokes of the 4 run into each other.
#
# The distance between a picture and a mean is the sum of the squared differences of their pixels.
# The test pictures were not used for the means, so the score says how it does on *new* pictures.
# Guessing is right one time in ten: that is the score to beat.

# %%
test = digits.x_test.astype("float32")
distances = np.stack([((test - mean) ** 2).sum(axis=(1, 2)) for mean in means], axis=1)
accuracy = np.mean(distances.argmin(axis=1) == digits.y_test)
print(f"nearest mean: {accuracy:.1%} of {len(test)} test digits, guessing: {1 / 10:.0%}")

# %% [markdown]
# It reads most digits without any network. Remember the score: in labs 01 and 03 networks read the
# same test digits.

# %% [markdown]
# ## What you have solved stays solved
#
# The *kernel* is the Python behind your notebook. When it is restarted, it forgets all variables and
# functions: run the cells again from the top. What you *solved* is kept apart, in a small file in your
# home folder, with the day on which each check first said *Correct*. Your answers and failed attempts
# are not in it, and it is sent nowhere.
#
# The cell below shows how far you are in the whole course, and where the file lies. Come back to it
# at any time. `progress.delete()` deletes the record; your notebooks stay as they are.

# %%
from helpers import progress

progress.show()

# %% [markdown]
# The last code cell of each lab is its score card: there you see what you solved in this lab, today
# or on an earlier day.

# %% [markdown]
# ## Recap
#
# - A picture is an array `(height, width, channels)`: rows first, colors last.
# - `uint8` wraps round at 255: convert before you compute, clip, convert back.
# - Networks want `float32` from 0 to 1.
# - Moving an axis keeps the picture; `reshape` to the same shape may destroy it.
# - A data set adds one axis in front. A score needs pictures that were not used to learn, and a
#   baseline to compare with.

# %%
check.score_card()

# %% [markdown]
# ### Go further
#
# - Draw a negative, `plots.show(plots.images([255 - photo], size=5), alt="A negative.")`. Which pixels
#   stay nearly the same?
# - Swap red and blue with one index expression: `photo[..., ::-1]`. Where do you see the change most?
# - Look at some digits that the nearest mean gets wrong. Would you have read them?
#
# ### References
#
# - Recommendation ITU-R BT.601-7 (2011): *Studio encoding parameters of digital television for standard
#   4:3 and wide-screen 16:9 aspect ratios*, for the weights of red, green and blue.
# - C. R. Harris et al. (2020): *Array programming with NumPy*. Nature 585, 357-362.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998): *Gradient-based learning applied to document
#   recognition*. Proceedings of the IEEE 86, 2278-2324, for the digits.
