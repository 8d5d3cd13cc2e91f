"""The course's site: answers are folded, figures described, and no link leads nowhere."""

import base64
import hashlib
import types

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from authoring import site
from authoring.kernel import ROOT


def test_the_site_has_each_document_and_solution_in_its_place(tmp_path):
    site.assemble(ROOT, tmp_path / "pages")
    for name in ("index.md", "README.md", "LICENSE", "hub/SIZING.md", "datasets/cards/storms.md"):
        assert (tmp_path / "pages" / name).is_file()
    labs = {path.name for path in (tmp_path / "pages/labs").iterdir()}
    assert labs == {path.name for path in (ROOT / "labs").glob("*.ipynb")}


def test_the_pages_are_assembled_anew(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/of-yesterday.md").write_text("# Gone")
    site.assemble(ROOT, tmp_path / "pages")
    assert not (tmp_path / "pages/of-yesterday.md").exists()


def test_each_module_that_labs_import_is_in_the_reference():
    reference = (ROOT / "site" / "helpers.rst").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "solutions").glob("*.py"))
    for path in (ROOT / "helpers").glob("[a-z]*.py"):
        if f"import {path.stem}" in sources:
            assert f"helpers.{path.stem}\n" in reference


def test_answers_are_folded_and_checks_are_not():
    answer = new_code_cell("1", metadata={"nbgrader": {"solution": True}, "tags": ["kept"]})
    check = new_code_cell("2", metadata={"nbgrader": {"solution": False}})
    folded = site.fold_answers(new_notebook(cells=[answer, check, new_code_cell("3")])).cells
    assert [cell.metadata.get("tags") for cell in folded] == [["kept", "hide-input"], None, None]


class Node(dict):
    """As much of a node of Sphinx's pages as is asked for here."""

    def __init__(self, tagname, **attributes):
        super().__init__(attributes)
        self.tagname = tagname


class Page(list):
    def findall(self, condition):
        return filter(condition, self)


def app_at(path):
    env = types.SimpleNamespace(docname="lab", doc2path=lambda name: path)
    return types.SimpleNamespace(env=env)


def test_a_figure_keeps_the_text_that_describes_it(tmp_path):
    pictures = [b"first", b"second"]
    outputs = [
        new_output(
            "display_data",
            {"image/png": base64.b64encode(picture).decode()},
            metadata={"image/png": {"alt": f"a text for the {picture.decode()}"}},
        )
        for picture in pictures
    ]
    path = tmp_path / "lab.ipynb"
    site.nbformat.write(new_notebook(cells=[new_code_cell("", outputs=outputs)]), path)
    hashes = [hashlib.sha256(picture).hexdigest() for picture in pictures]
    images = [Node("image", uri=f"_build/{name}.png") for name in [*hashes, "another"]]

    site.describe_figures(app_at(path), Page([Node("paragraph"), *images]))
    texts = [image["alt"] for image in images]
    assert texts == ["a text for the first", "a text for the second", ""]


def test_only_notebooks_are_searched_for_figures():
    image = Node("image", uri="x.png")
    site.describe_figures(app_at("page.md"), Page([image]))
    assert "alt" not in image


def test_parameters_of_a_docstring_become_a_list():
    lines = [
        "Do it.",
        "",
        "x, y: (n,) numbers.",
        "*rest: more, which",
        "    go on.",
        "",
        "End: no",
        "list",
    ]
    site.list_parameters(None, "function", "f", None, {}, lines)
    assert lines == [
        *["Do it.", "", ":x, y: (n,) numbers.", r":\*rest: more, which", "    go on.", ""],
        *["End: no", "list", ""],
    ]


PAGE = '<html><body id="top"><a href="other.html#here">there</a>{}</body></html>'


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "other.html").write_text('<p id="here">Here.</p>')
    return tmp_path


@pytest.mark.parametrize(
    "tag",
    [
        "",
        '<a href="https://example.org/x">a link to elsewhere</a>',
        '<a href="#top">up</a>',
        '<a href="mailto:nobody@example.org">mail</a>',
        '<img src="data:image/png;base64,AAAA">',
        "<a>no link</a>",
    ],
)
def test_good_links_pass(pages, tag):
    (pages / "page.html").write_text(PAGE.format(tag))
    assert site.broken_links(pages) == []


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ('<a href="gone.html">x</a>', "page.html links to gone.html, which is not there"),
        ('<a href="other.html#gone">x</a>', "links to other.html#gone, where there is no such"),
        ('<a href="#gone">x</a>', "page.html links to #gone, where there is no such place"),
        ('<img src="gone.png">', "page.html links to gone.png, which is not there"),
        ('<script src="https://example.org/x.js"></script>', "page.html loads https://example"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "page.html loads //example.org"),
        ('<img src="http://example.org/x.png">', "page.html loads http://example.org/x.png"),
    ],
)
def test_bad_links_are_named(pages, tag, fault):
    (pages / "page.html").write_text(PAGE.format(tag))
    (found,) = site.broken_links(pages)
    assert fault in found


def test_templates_of_the_theme_are_no_pages(pages):
    (pages / "_static").mkdir()
    (pages / "_static" / "page.html").write_text(PAGE.format('<a href="{{ gone }}">x</a>'))
    assert site.broken_links(pages) == []
