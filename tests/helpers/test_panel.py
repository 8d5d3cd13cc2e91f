"""The panel as a web page: HTML is escaped, code and stress are marked."""

from helpers.panel import Panel


def test_panel_escapes_html_and_marks_code():
    page = Panel("wrong", "a < b", "use `x < 1`\n\n    1  <2>")._repr_html_()
    assert "a &lt; b" in page
    assert "<code>x &lt; 1</code>" in page
    assert "<pre" in page
    assert "1  &lt;2&gt;</pre>" in page
    assert "Not yet" in page  # the word, so that color is not needed


def test_panel_stresses_words_but_not_code():
    page = Panel("wrong", "x", "the *last* axis: `a * b * c`, 2 * 3 * 4")._repr_html_()
    assert "the <em>last</em> axis: <code>a * b * c</code>, 2 * 3 * 4" in page
