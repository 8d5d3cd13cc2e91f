"""The site's pages as their readers meet them: in a browser, on a wide screen and on a phone.

Pictures of the first screen of each page are left in site/build/screenshots.
"""

import re
import shutil

import nbformat
import pytest
from playwright.sync_api import sync_playwright

from authoring.build import sources
from authoring.kernel import ROOT

HTML = ROOT / "site" / "build" / "html"
SCREENSHOTS = ROOT / "site" / "build" / "screenshots"
WIDTHS = {"wide": 1400, "phone": 390}
LABS = [path.stem for path in sources()]
PAGES = sorted(str(path.relative_to(HTML)) for path in HTML.rglob("*.html"))
PAGES = [page for page in PAGES if not page.startswith(("_static", "genindex", "search"))]


@pytest.fixture(scope="module")
def browser():
    SCREENSHOTS.mkdir(exist_ok=True)
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=WIDTHS)
def width(request):
    return request.param


@pytest.fixture
def page(browser, width):
    """A page that has asked for nothing but files of this machine, and found each."""
    page = browser.new_page(viewport={"width": WIDTHS[width], "height": 900})
    elsewhere, missing = [], []

    def note(request):
        if not request.url.startswith(("file:", "data:")):
            elsewhere.append(request.url)

    page.on("request", note)
    page.on("requestfailed", lambda request: missing.append(request.url))
    yield page
    page.close()
    assert (elsewhere, missing) == ([], [])


def open_page(page, name):
    page.goto((HTML / name).as_uri())
    page.wait_for_function("() => !window.MathJax || window.MathJax.startup?.promise")
    page.evaluate("() => window.MathJax?.startup?.promise")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_screen_and_asks_nobody_else(page, width, name):
    open_page(page, name)
    page.screenshot(path=SCREENSHOTS / f"{name.replace('/', '_')}_{width}.png")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator("article h1").count() == 1


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_shows_its_formulas_figures_and_no_answers(page, lab):
    notebook = nbformat.read(ROOT / "solutions" / f"{lab}.ipynb", as_version=4)
    open_page(page, f"labs/{lab}.html")

    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"```.*?```|`[^`]*`", "", prose, flags=re.DOTALL)
    formulas = re.findall(r"\$\$.+?\$\$|\$[^$]+\$", prose, re.DOTALL)
    assert page.locator("mjx-container").count() == len(formulas)
    assert page.locator("mjx-merror").count() == 0

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    figures += [output for output in outputs if "image/jpeg" in output.get("data", {})]
    texts = page.eval_on_selector_all(
        ".cell_output img", "images => images.map(image => image.naturalWidth && image.alt)"
    )
    assert len(texts) == len(figures)
    assert all(texts)

    exercises = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    answers = [cell for cell in exercises if cell.metadata["nbgrader"]["solution"]]
    folded = page.locator("details.hide:not([open]) > summary", has_text="Show the answer")
    assert folded.count() == len(answers)
    assert not page.get_by_text("### BEGIN SOLUTION").first.is_visible()
    folded.first.click()
    assert page.get_by_text("### BEGIN SOLUTION").first.is_visible()
