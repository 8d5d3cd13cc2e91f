"""The figures that labs share."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_show_refuses_a_figure_without_alternative_text():
    with pytest.raises(ValueError, match="alternative text"):
        plots.show(plt.figure(), alt=" ")


def test_show_sends_the_text_with_the_picture():
    import nbclient
    import nbformat

    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(
            "import numpy as np\nfrom helpers import plots\n"
            "plots.show(plots.images(np.zeros((3, 4, 4))), alt='Three black squares.')"
        )
    ]
    nbclient.NotebookClient(notebook, timeout=60).execute()
    (output,) = notebook.cells[0].outputs
    assert output.data["image/png"]
    assert output.metadata["image/png"]["alt"] == "Three black squares."


def test_images_lays_pictures_out_in_a_grid():
    figure = plots.images(np.zeros((7, 4, 4)), titles=list("abcdefg"), columns=3)
    titles = [axis.get_title() for axis in figure.axes if axis.images]
    assert titles == list("abcdefg")
    assert len(figure.axes) == 9


def test_learning_curves_draws_what_was_recorded():
    history = {"loss": [3.0, 2.0], "val_loss": [3.5, 2.5], "accuracy": [0.1, 0.2]}
    (axis,) = plots.learning_curves(history, "loss").axes
    assert [line.get_label() for line in axis.lines] == ["training", "validation"]
    assert list(axis.lines[1].get_ydata()) == [3.5, 2.5]
    (axis,) = plots.learning_curves(history, "accuracy").axes
    assert [line.get_label() for line in axis.lines] == ["training"]


def test_confusion_has_true_classes_in_rows():
    (axis,) = plots.confusion([0, 0, 1], [0, 1, 1], names=["a", "b"]).axes
    shown = {
        (text.get_position()[1], text.get_position()[0]): text.get_text() for text in axis.texts
    }
    assert shown == {(0, 0): "1", (0, 1): "1", (1, 1): "1"}
    assert axis.get_ylabel() == "true class"
