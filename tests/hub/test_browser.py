"""The course on the local hub as students meet it: in a browser, with mouse and keyboard.

Pictures of what is to be seen are left in the folder SCREENSHOTS, or in hub/state/screenshots.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from helpers.checks import cnn
from hub.sandbox import COURSE
from tests.hub.contrast import contrast
from tests.hub.waiting import wait

# A test that runs alone waits for the hub, a server and a kernel first.
pytestmark = pytest.mark.timeout(240)

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or COURSE / "hub/state/screenshots")
MILLISECONDS = 60_000  # the longest wait for anything in a page
FIRST, LAB = "00_start_here.ipynb", "03_cnn_mnist.ipynb"

# Answers to an exercise of the lab, as they are typed: the editor indents after a colon by itself.
HEAD = "def convolve(image, kernel):\n"
WINDOWS = "w = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)\n"
RIGHT = HEAD + WINDOWS + "return np.tensordot(w, kernel)"
FLIPPED = HEAD + WINDOWS + "return np.tensordot(w, kernel[::-1, ::-1])"
ANSWERS = {"Not attempted": HEAD + "...", "Not yet": FLIPPED, "Correct": RIGHT}

# JupyterLab may start a second kernel when a notebook is first opened: the one that stays counts.
SETTLED = """path => {
    const {context, sessionContext} = jupyterapp.shell.currentWidget ?? {};
    const kernel = context?.path === path ? sessionContext?.session?.kernel : null;
    const idle = kernel?.status === "idle" ? kernel.id : null;
    if (idle !== window.idleKernel) {
        window.idleKernel = idle;
        window.idleSince = performance.now();
    }
    return idle && performance.now() - window.idleSince > 1500;
}"""

# The code cells of the open notebook: what they say, and as which one the kernel ran them.
CODE = """() => jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === "code")
    .map(cell => [cell.model.sharedModel.source, cell.model.executionCount])"""

# Every text in a panel with its color, the backgrounds behind it, the innermost first, and how
# opaque all of it is.
TEXTS = """panel => [panel, ...panel.querySelectorAll("*")]
    .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
    .map(node => {
        const styles = [];
        for (let at = node; at; at = at.parentElement) styles.push(getComputedStyle(at));
        return {
            text: node.textContent,
            color: styles[0].color,
            backgrounds: styles.map(style => style.backgroundColor),
            opacity: styles.reduce((product, style) => product * style.opacity, 1),
        };
    })"""

# What in a panel, or around it in its cell, holds more than it shows.
SCROLLED = """panel => {
    const nodes = [panel, ...panel.querySelectorAll("*")];
    for (let at = panel; !at.matches(".jp-Cell"); at = at.parentElement) nodes.push(at);
    return nodes.filter(node => getComputedStyle(node).display !== "inline")
        .filter(node => node.scrollWidth > node.clientWidth + 1
            || node.scrollHeight > node.clientHeight + 1)
        .map(node => `${node.tagName} ${node.className}`);
}"""


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    assert program, f"none of {', '.join(names)} is on this machine"
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def asked_for():
    """The addresses that Carol's page has asked for."""
    return []


@pytest.fixture(scope="module")
def carol(browser, hub, asked_for):
    """The page of a student who has logged in."""
    page = new_page(browser)
    page.on("request", lambda request: asked_for.append(request.url))
    log_in(page, hub, "carol")
    return page


@pytest.fixture
def lab(carol):
    """Carol's page after she opened the lab and ran all its cells."""
    open_lab(carol, LAB)
    carol.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    return carol


def new_page(browser):
    """Return an empty page in a browser of somebody else."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(MILLISECONDS)
    return page


def log_in(page, hub, name):
    """Fill in the form; return when the student's server has started and shows the first lab."""
    address, state = hub
    page.goto(address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill((state / "student_password").read_text().strip())
    page.get_by_role("button", name="Sign in").click()
    wait_for_lab(page, FIRST)


def wait_for_lab(page, name):
    """Wait until this lab is on screen and its kernel at rest."""
    page.wait_for_function("() => window.jupyterapp")
    page.wait_for_function(SETTLED, arg=f"labs/{name}", polling=100)


def open_lab(page, name):
    page.locator(".jp-DirListing-item", has_text=name).dblclick()
    wait_for_lab(page, name)


def cell(page, start):
    """Return the cell of the open notebook that starts so, scrolled into view.

    JupyterLab need not draw a cell that is out of sight.
    """
    index = page.evaluate(
        """async start => {
            const notebook = jupyterapp.shell.currentWidget.content;
            const index = notebook.widgets.findIndex(
                cell => cell.model.sharedModel.source.startsWith(start)
            );
            if (index < 0) throw new Error(`no cell starts with ${start}`);
            await notebook.scrollToItem(index, "center");
            return index;
        }""",
        start,
    )
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    return notebook.locator(f".jp-Cell[data-windowed-list-index='{index}']")


def panel(page, exercise):
    return cell(page, f"check.{exercise}(").get_by_role("status")


def answer(page, exercise, text):
    """Type an answer in place of what is there, run it and its check; return the check's panel."""

    def last_run():
        return next(n or 0 for source, n in page.evaluate(CODE) if source.startswith(check))

    check = f"check.{exercise}("
    before = last_run()
    cell(page, f"def {exercise}(").locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(text)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    wait(lambda: last_run() > before, "running the check")
    return panel(page, exercise)


def screenshot(page, name):
    SCREENSHOTS.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it may be the hub's folder
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_the_first_lab_is_open_after_the_login(carol):
    expect(carol.get_by_role("heading", name="Start here")).to_be_in_viewport()
    screenshot(carol, "login")


def test_of_nbgrader_students_see_the_validate_button_only(carol):
    expect(carol.get_by_role("button", name="Validate").first).to_be_visible()
    expect(carol.get_by_text(re.compile("nbgrader|create assignment", re.I))).to_have_count(0)
    commands = carol.evaluate("jupyterapp.commands.listCommands()")
    assert "notebook:run-all-cells" in commands
    assert not [name for name in commands if name.startswith("nbgrader")]


def test_no_news_are_offered_or_asked_for(carol, asked_for):
    expect(carol.locator(".jp-Notification-Status-Text")).to_have_text("0")
    assert any("/lab/api/settings" in address for address in asked_for)
    assert not [address for address in asked_for if re.search("/lab/api/(news|update)", address)]


def test_run_all_stops_at_the_first_blank(lab):
    expect(panel(lab, "output_size")).to_contain_text("Not attempted")
    sources, runs = zip(*lab.evaluate(CODE), strict=True)
    stop = sources.index("check.output_size(output_size)") + 1
    assert all(runs[:stop])
    assert not any(runs[stop:])


def test_a_wrong_answer_is_told_its_mistake_and_the_right_one_is_correct(lab):
    wrong = answer(lab, "convolve", FLIPPED)
    expect(wrong).to_contain_text("Not yet")
    expect(wrong).to_contain_text(cnn.FLIPPED)
    expect(answer(lab, "convolve", RIGHT)).to_contain_text("Correct")


def test_contrast_is_that_of_wcag():
    assert contrast("rgb(0, 0, 0)", ["rgb(255, 255, 255)"]) == pytest.approx(21)
    # Half black on white looks like the gray 127.5; the hidden red counts for nothing.
    half = contrast(
        "rgb(255, 255, 255)", ["rgba(0, 0, 0, 0.5)", "rgb(255, 255, 255)", "rgb(255, 0, 0)"]
    )
    assert half == pytest.approx(contrast("rgb(127.5, 127.5, 127.5)", ["rgb(255, 255, 255)"]))
    # https://webaim.org/resources/contrastchecker/
    assert contrast("rgb(119, 119, 119)", ["rgb(255, 255, 255)"]) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("word", ANSWERS)
def test_a_panel_can_be_read_in_words_with_contrast_and_in_full(lab, word):
    panel = answer(lab, "convolve", ANSWERS[word])
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        expect(lab.locator("body")).to_have_attribute("data-jp-theme-name", theme)
        expect(panel).to_contain_text(f"{word}: a valid convolution")
        expect(panel).to_be_in_viewport(ratio=1)
        screenshot(lab, f"{word} {theme}".replace(" ", "-"))
        assert panel.evaluate(SCROLLED) == []
        texts = panel.evaluate(TEXTS)
        assert texts
        for found in texts:
            assert found["opacity"] == 1, found
            assert contrast(found["color"], found["backgrounds"]) >= 4.5, found


def test_hints_are_reached_and_opened_with_the_keyboard(carol):
    open_lab(carol, LAB)
    statement = cell(carol, "### Exercise 2")
    hint = statement.locator("details").first
    statement.locator("p").first.click()

    def reached():
        carol.keyboard.press("Tab")
        return hint.locator("summary:focus").count()

    wait(reached, "reaching the hint")
    for key, shown in [("Enter", True), ("Space", False)]:
        carol.keyboard.press(key)
        expect(hint.locator("p")).to_be_visible(visible=shown)


def test_an_answer_is_still_there_after_the_server_was_stopped_and_started(lab, hub):
    address, _ = hub
    answer(lab, "convolve", HEAD + "return image  # to do")
    lab.keyboard.press("ControlOrMeta+S")
    lab.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    lab.goto(f"{address}/hub/home")
    lab.get_by_role("button", name="Stop My Server").click()
    lab.get_by_role("button", name="Start My Server").click()
    wait_for_lab(lab, FIRST)
    open_lab(lab, LAB)
    expect(cell(lab, HEAD).locator(".cm-content")).to_contain_text("return image  # to do")


def test_validate_names_the_cells_that_fail(carol):
    open_lab(carol, FIRST)
    notebook = carol.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.get_by_role("button", name="Validate").click()
    dialog = carol.get_by_role("dialog")
    expect(dialog).to_contain_text("The following cell failed")
    expect(dialog).to_contain_text("check.double(double)")
    expect(dialog).to_contain_text("Not attempted: double a number")
    screenshot(carol, "validate")
    dialog.get_by_role("button", name="Ok").click()


def test_another_student_sees_neither_her_files_nor_the_solutions(browser, carol, hub):
    address, state = hub
    dave = new_page(browser)
    log_in(dave, hub, "dave")
    own, hers = (state / "homes" / name / "labs" / LAB for name in ("dave", "carol"))
    hidden = [hers, COURSE / "solutions" / LAB, COURSE / "tests/hub", state / "student_password"]
    assert all(path.exists() for path in hidden)

    dave.evaluate("jupyterapp.commands.execute('terminal:create-new')")
    terminal = "jupyterapp.shell.currentWidget.content.session?.connectionStatus"
    dave.wait_for_function(f"() => {terminal} === 'connected'")
    dave.locator(".jp-Terminal .xterm-helper-textarea").focus()
    home = state / "homes/dave"
    (home / "paths").write_text("\n".join(map(str, [own, *hidden])))
    dave.keyboard.type("xargs ls -d < paths > seen; touch done\n")
    wait((home / "done").exists, "listing files in the terminal")
    assert (home / "seen").read_text().split() == [str(own)]

    files = f"{address}/user/dave/api/contents"
    assert dave.request.get(f"{files}/labs/{LAB}").ok
    assert dave.request.get(f"{files}/..%2Fcarol%2Flabs%2F{LAB}").status == 404
    for page in ("lab", f"api/contents/labs/{LAB}"):
        assert dave.goto(f"{address}/user/carol/{page}").status == 403
