"""Figures that several labs share. Importing this module sets the style of every figure."""

import io
import math
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

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
    figure = getattr(figure, "figure", figure)
    if "ipykernel" not in sys.modules:
        plt.show()
        plt.close(figure)
        return
    from IPython.display import Image, display

    png = io.BytesIO()
    figure.savefig(png, format="png", facecolor="white")
    plt.close(figure)
    display(Image(png.getvalue(), alt=alt))


def images(pictures, titles=None, columns=10, size=0.75):
    """Return a figure of pictures in a grid.

    `pictures` is a sequence of (h, w) or (h, w, 3) arrays, `titles` one short text for each,
    `size` the side of a picture in inches. Gray pictures are scaled one by one, black to white.
    """
    pictures = list(pictures)
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    title_height = 0.25 if titles is not None else 0.0
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * (size + title_height)), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        axis.imshow(np.asarray(picture))
        if titles is not None:
            axis.set_title(titles[index], fontsize=9, pad=2)
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
    axis.imshow(mistakes, cmap="Blues", vmax=max(1, 1.3 * mistakes.max()))
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
