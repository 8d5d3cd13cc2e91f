"""Figures that several labs share. Importing this module sets the style of every figure."""

import io
import math
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from matplotlib.colors import LinearSegmentedColormap, to_rgb

plt.style.use(Path(__file__).with_name("course.mplstyle"))

BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, YELLOW, BLACK = plt.rcParams["axes.prop_cycle"].by_key()[
    "color"
]


def show(figure, alt):
    """Display a figure with a text alternative for readers who can't see it, and close it.

    `alt` is one or two sentences that say what the figure shows. In a notebook the text travels
    with the picture; in a script the usual window opens.
    """
    if not alt.strip():
        raise ValueError("A figure needs an alternative text: say in a sentence what it shows.")
    if "ipykernel" not in sys.modules:
        plt.show()
        plt.close(figure)
        return
    from IPython.display import Image, display

    png, picture = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", facecolor="white", bbox_inches="tight", pad_inches=0.05)
    pixels = PIL.Image.open(png).convert("RGB")
    # Both forms take a third of what savefig writes, and notebooks with their outputs are stored.
    kind = "jpeg" if _holds_photograph(figure) else "png"
    if kind == "png":
        pixels = pixels.quantize(256, dither=PIL.Image.Dither.NONE)
    pixels.save(picture, kind, quality=85, optimize=True)
    plt.close(figure)
    display(Image(picture.getvalue(), format=kind, alt=alt))


class Screen:
    """A figure in a notebook that is drawn again and again while a cell runs.

    Under CI (the variable ``CI`` is set) and outside of notebooks it draws nothing.
    """

    def __init__(self):
        self._handle = None
        self._silent = bool(os.environ.get("CI")) or "ipykernel" not in sys.modules

    def show(self, figure):
        """Draw the figure in place of the one before, and close it."""
        if not self._silent:
            from IPython.display import display

            if self._handle is None:
                self._handle = display(figure, display_id=True)
            else:
                self._handle.update(figure)
        plt.close(figure)


def _holds_photograph(figure):
    pictures = [image.get_array() for axis in figure.axes for image in axis.images]
    in_color = [picture.ndim == 3 for picture in pictures]  # masks beside photos stay sharp as PNG
    large = any(min(picture.shape[:2]) > 256 for picture in pictures)
    return large or (bool(pictures) and all(in_color))


def images(pictures, titles=None, columns=10, size=0.75, row_names=()):
    """Return a figure of pictures in a grid.

    `pictures` is a sequence of (h, w) or (h, w, 3) arrays of one size, `titles` one short text for
    each, `size` the width of a picture in inches, `row_names` a text at the left of each row. A
    gray uint8 picture is black at 0 and white at 255; any other gray picture is scaled from its own
    least value to its greatest.
    """
    pictures = [np.asarray(picture) for picture in pictures]
    height = size * pictures[0].shape[0] / pictures[0].shape[1]
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    title_height = 0.25 if titles is not None else 0.0
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (height + title_height)), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        limits = {"vmin": 0, "vmax": 255} if picture.dtype == np.uint8 else {}
        axis.imshow(picture, **limits)
        if titles is not None:
            axis.set_title(titles[index], fontsize=9, pad=2)
    for axis, name in zip(axes[:, 0], row_names, strict=bool(row_names)):
        place = {"ha": "right", "va": "center", "transform": axis.transAxes}
        axis.text(-0.1, 0.5, name, fontsize=9, **place)
    return figure


def learning_curves(history, metric="accuracy", axis=None):
    """Return a figure of a training metric and, where recorded, its validation, by epoch.

    `history` is what Keras's ``fit`` returns, or its ``history`` dictionary.
    """
    history = getattr(history, "history", history)
    axis = axis or plt.subplots()[1]
    last = []
    for key, label, color in [(metric, "training", BLUE), (f"val_{metric}", "validation", ORANGE)]:
        if key in history:
            values = history[key]
            epochs = np.arange(1, len(values) + 1)
            axis.plot(epochs, values, color=color, marker="o", label=label)
            last.append((values[-1], label))
    axis.set_xlabel("epoch")
    axis.set_ylabel(metric)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend()
    return axis.figure


def confusion(true, predicted, names, axis=None):
    """Return a figure of the confusion matrix: rows are true classes, columns predicted ones.

    `true` and `predicted` are (n,) arrays of class numbers 0 .. len(names) - 1. Correct answers
    are on the diagonal; the color shows the mistakes only, so that rare ones are visible.
    """
    count = len(names)
    matrix = np.zeros((count, count), dtype=int)
    np.add.at(matrix, (np.asarray(true), np.asarray(predicted)), 1)
    mistakes = np.where(np.eye(count, dtype=bool), 0, matrix)
    axis = axis or plt.subplots(figsize=(5.2, 4.8))[1]
    axis.imshow(mistakes, cmap="Blues", vmax=max(1, 2 * mistakes.max()))
    for row, column in np.ndindex(matrix.shape):
        if matrix[row, column]:
            weight = "bold" if row == column else "normal"
            axis.text(
                column,
                row,
                matrix[row, column],
                ha="center",
                va="center",
                fontsize=9,
                fontweight=weight,
            )
    axis.set_xticks(range(count), names)
    axis.set_yticks(range(count), names)
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    return axis.figure


def decision_boundary(predict, x, y, axis=None):
    """Return a figure of two classes of points in the plane and of where a model divides them.

    `predict` takes (n, 2) points and returns the probability of class 1 for each, (n,); `x` is
    (n, 2), `y` (n,) with 0 or 1. The black line is where the probability is 1/2; the background
    is pale where it lies between 0.1 and 0.9.
    """
    axis = axis or plt.subplots(figsize=(4.2, 3.8))[1]
    x, y = np.asarray(x), np.asarray(y)
    margin = 0.1 * np.ptp(x, axis=0)
    low, high = x.min(axis=0) - margin, x.max(axis=0) + margin
    across, up = np.meshgrid(*np.linspace(low, high, 120).T)
    points = np.stack([across.ravel(), up.ravel()], axis=1)
    probability = np.reshape(predict(points), across.shape)
    pale = [tuple(0.65 + 0.35 * part for part in to_rgb(color)) for color in (BLUE, VERMILION)]
    shades = LinearSegmentedColormap.from_list("classes", [pale[0], "white", pale[1]])
    axis.contourf(across, up, probability, [0, 0.1, 0.5, 0.9, 1], cmap=shades)
    if probability.min() < 0.5 < probability.max():
        axis.contour(across, up, probability, [0.5], colors="black", linewidths=1.5)
    for label, color, marker in [(0, BLUE, "o"), (1, VERMILION, "^")]:
        axis.scatter(*x[y == label].T, s=8, color=color, marker=marker, linewidths=0)
    axis.set_xlabel("$x_1$")
    axis.set_ylabel("$x_2$")
    return axis.figure
