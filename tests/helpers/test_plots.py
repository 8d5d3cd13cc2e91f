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
            "plots.show(plots.images(np.zeros((3, 4, 4))), alt='Three black squares.')\n"
            "plots.show(plots.images(np.zeros((1, 300, 400))), alt='A black photograph.')"
        )
    ]
    nbclient.NotebookClient(notebook, timeout=60).execute()
    drawing, photograph = notebook.cells[0].outputs
    assert drawing.data["image/png"]
    assert drawing.metadata["image/png"]["alt"] == "Three black squares."
    assert photograph.data["image/jpeg"]
    assert photograph.metadata["image/jpeg"]["alt"] == "A black photograph."


def test_images_lays_pictures_out_in_a_grid():
    figure = plots.images(np.zeros((7, 4, 4)), titles=list("abcdefg"), columns=3)
    titles = [axis.get_title() for axis in figure.axes if axis.images]
    assert titles == list("abcdefg")
    assert len(figure.axes) == 9


def test_images_names_rows():
    figure = plots.images(np.zeros((4, 4, 4)), columns=2, row_names=["made", "real"])
    assert [text.get_text() for axis in figure.axes[::2] for text in axis.texts] == ["made", "real"]
    with pytest.raises(ValueError, match="shorter"):
        plots.images(np.zeros((4, 4, 4)), columns=2, row_names=["made"])


def test_images_of_bytes_are_not_stretched():
    figure = plots.images([np.full((4, 4), 50, np.uint8), np.array([[0.2, 0.4]])], size=1)
    assert [axis.images[0].get_clim() for axis in figure.axes] == [(0, 255), (0.2, 0.4)]


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


def test_decision_boundary_divides_the_plane_where_the_probability_is_one_half():
    x = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [4.0, 2.0]])
    asked = []

    def predict(points):
        asked.append(points)
        return 1 / (1 + np.exp(-(points[:, 0] - 1)))

    (axis,) = plots.decision_boundary(predict, x, [0, 0, 1, 1]).axes
    (points,) = asked
    assert points.shape[1] == 2
    assert np.all(points.min(axis=0) < 0)
    assert np.all(points.max(axis=0) > [4, 2])
    line = np.concatenate(
        [
            path.vertices
            for contour in axis.collections
            for path in contour.get_paths()
            if contour.get_linewidths()[0] == 1.5 and len(path.vertices) > 2
        ]
    )
    assert line[:, 0] == pytest.approx(1, abs=0.05)
    shown = [len(part.get_offsets()) for part in axis.collections if len(part.get_offsets()) > 1]
    assert shown == [2, 2]
    assert axis.get_xlabel() == "$x_1$"


def test_decision_boundary_without_a_boundary_draws_no_line():
    axis = plots.decision_boundary(lambda x: np.zeros(len(x)), np.eye(2), [0, 1]).axes[0]
    assert not any(1.5 in np.atleast_1d(part.get_linewidths()) for part in axis.collections)


def test_screen_draws_in_place_and_closes_its_figures(monkeypatch):
    import nbclient
    import nbformat

    monkeypatch.delenv("CI", raising=False)
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(
            "import matplotlib.pyplot as plt\nfrom helpers import plots\n"
            "screen = plots.Screen()\n"
            "for size in [1, 2]:\n    screen.show(plt.figure(figsize=(size, 1)))\n"
            "print(plt.get_fignums())"
        )
    ]
    nbclient.NotebookClient(notebook, timeout=60).execute()
    pictures = [o for o in notebook.cells[0].outputs if o.output_type == "display_data"]
    assert len(pictures) == 1
    assert "200x" in pictures[0].data["text/plain"].lower().replace(" ", "")
    assert notebook.cells[0].outputs[-1].text == "[]\n"


def test_screen_is_silent_under_ci(monkeypatch, capsys):
    monkeypatch.setenv("CI", "true")
    plots.Screen().show(plt.figure())
    assert plt.get_fignums() == []
    assert capsys.readouterr().out == ""
