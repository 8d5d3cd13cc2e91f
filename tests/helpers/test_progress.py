"""The record of what is solved: kept, merged, shown, deleted, and never in the way of a check."""

import errno
import json
import os
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import nbformat
import pytest

from helpers import progress
from helpers.checks.core import CheckFailed, Lab

ROOT = Path(__file__).resolve().parent.parent.parent
TODAY = date.today().isoformat()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home folder of a student who has set nothing."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("CI", "COURSE_PROGRESS", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(name, raising=False)
    new_kernel(monkeypatch)
    return home


@pytest.fixture
def file(home):
    return home / ".deep-learning-labs" / "progress.json"


@pytest.fixture
def small_course(monkeypatch):
    """Two labs with two exercises and one."""
    labs = [example_lab(), Lab("02 Second lab")]
    labs[1].check("a loss")(lambda answer: "Right.")
    monkeypatch.setattr(progress, "_labs", lambda: labs)


def new_kernel(monkeypatch):
    monkeypatch.setattr(progress, "_waiting", {})
    monkeypatch.setattr(progress, "_told", [])


def example_lab():
    lab = Lab("01 First lab")

    @lab.check("six")
    def six(answer):
        if answer != 6:
            raise CheckFailed("It is not six.")
        return "Six it is."

    @lab.check("seven")
    def seven(answer):
        return "Seven, perhaps."

    lab.six, lab.seven = six, seven
    return lab


def write(file, solved):
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"solved": solved}))


def stored(file):
    return json.loads(file.read_text(encoding="utf-8"))["solved"]


# Keeping


def test_a_right_answer_is_kept_with_its_day(home, file, capsys):
    example_lab().six(6)
    assert stored(file) == {"01": {"six": TODAY}}
    assert capsys.readouterr().out == "✔ Correct: six\nSix it is.\n"
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]  # no lock, no rest


def test_results_that_clear_their_bar_are_kept(home, file):
    example_lab().reached("accuracy", 0.9, at_least=0.5)
    assert stored(file) == {"01": {"accuracy": TODAY}}


def test_wrong_and_missing_answers_leave_no_trace(home):
    lab = example_lab()
    for answer in (5, None):
        with pytest.raises(CheckFailed):
            lab.six(answer)
    assert list(home.iterdir()) == []


def test_the_first_day_holds_and_a_wrong_answer_takes_nothing_back(home, file):
    write(file, {"01": {"six": "2025-10-01"}})
    before = file.stat().st_mtime_ns
    lab = example_lab()
    lab.six(6)
    with pytest.raises(CheckFailed):
        lab.six(5)
    assert stored(file) == {"01": {"six": "2025-10-01"}}
    assert file.stat().st_mtime_ns == before  # not even written


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_the_student_can_read_the_file(home, file):
    progress.keep("01", "six")
    assert file.stat().st_mode & 0o077 == 0


WRITER = """
import sys
from helpers import progress
for number in range(10):
    assert progress.keep(sys.argv[1], f"exercise {number}") == ""
"""


def test_kernels_that_write_at_once_lose_nothing(home, file):
    labs = ["01", "02", "03", "04"]
    kernels = [subprocess.Popen([sys.executable, "-c", WRITER, lab], cwd=ROOT) for lab in labs]
    assert [kernel.wait(timeout=60) for kernel in kernels] == [0] * len(labs)
    everything = {f"exercise {number}": TODAY for number in range(10)}
    assert stored(file) == dict.fromkeys(labs, everything)


def test_the_lock_of_a_kernel_that_died_is_overcome(home, file, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    file.parent.mkdir()
    (file.parent / ".progress.json.lock").touch()
    assert progress.keep("01", "six") == ""
    assert stored(file) == {"01": {"six": TODAY}}
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]


def test_a_held_lock_is_waited_for(home, file):
    file.parent.mkdir()
    release = "import sys, time, pathlib; time.sleep(0.3); pathlib.Path(sys.argv[1]).unlink()"
    lock = file.parent / ".progress.json.lock"
    lock.touch()
    other = subprocess.Popen([sys.executable, "-c", release, str(lock)])
    start = time.monotonic()
    progress.keep("01", "six")
    assert time.monotonic() - start > 0.2
    assert other.wait(timeout=30) == 0


# Settings


@pytest.mark.parametrize(
    "setting",
    [{"CI": "true"}, {"COURSE_PROGRESS": "off"}, {"NBGRADER_EXECUTION": "autograde"}],
    ids=lambda setting: next(iter(setting)),
)
def test_where_nothing_is_kept_nothing_is_touched(home, file, monkeypatch, capsys, setting):
    write(file, {"01": {"seven": "2025-10-01"}})
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    before = file.read_bytes()
    lab = example_lab()
    lab.six(6)
    lab.score_card()
    card = capsys.readouterr().out
    assert "1 of 2 correct" in card
    assert "course" not in card
    assert "2025" not in card
    progress.show()
    progress.delete()
    assert capsys.readouterr().out.count("Nothing is kept here, because") == 2
    assert file.read_bytes() == before


def test_nbgraders_validation_is_the_students_own(home, file, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    progress.keep("01", "six")
    assert stored(file) == {"01": {"six": TODAY}}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", ".deep-learning-labs/progress.json"),
        ("~/notes/labs.json", "notes/labs.json"),
        ("work/labs.json", "work/labs.json"),
        ("documents", "documents/progress.json"),  # a folder that exists
    ],
)
def test_the_place_can_be_set(home, monkeypatch, setting, expected):
    (home / "documents").mkdir()
    monkeypatch.setenv("COURSE_PROGRESS", setting)
    progress.keep("01", "six")
    assert stored(home / expected) == {"01": {"six": TODAY}}


def test_an_absolute_place_needs_no_home(tmp_path, home, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "elsewhere.json"))
    monkeypatch.setattr(Path, "home", no_home)
    assert progress.keep("01", "six") == ""
    assert stored(tmp_path / "elsewhere.json") == {"01": {"six": TODAY}}


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_stays_a_link(home, file, tmp_path):
    file.parent.mkdir()
    file.symlink_to(tmp_path / "real.json")
    progress.keep("01", "six")
    assert file.is_symlink()
    assert stored(tmp_path / "real.json") == {"01": {"six": TODAY}}


# Trouble with the home


def no_home():
    raise RuntimeError("Could not determine home directory.")


def no_space(handle):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only(*arguments, **named):
    raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize(
    ("owner", "name", "fault", "reason"),
    [
        (os, "fsync", no_space, "No space left"),
        (os, "open", read_only, "Read-only file system"),
        (Path, "mkdir", read_only, "Read-only file system"),
        (Path, "read_bytes", read_only, "Read-only file system"),
        (Path, "expanduser", lambda path: no_home(), "Could not determine home directory"),
    ],
)
def test_trouble_is_told_once_and_the_answer_stands(
    home, file, monkeypatch, capsys, owner, name, fault, reason
):
    lab = example_lab()
    with monkeypatch.context() as broken:
        broken.setattr(owner, name, fault)
        lab.six(6)
        first = capsys.readouterr().out
        lab.seven(7)
        assert capsys.readouterr().out == "✔ Correct: seven\nSeven, perhaps.\n"
        lab.score_card()
        progress.show()
        progress.delete()
        shown = capsys.readouterr().out
    assert first.startswith("✔ Correct: six\nSix it is.\nYour progress is not kept:")
    assert reason in first
    assert "2 of 2 correct" in shown
    assert not file.exists()
    assert not file.parent.exists() or list(file.parent.iterdir()) == []


def test_what_could_not_be_written_follows_when_it_can(home, file, monkeypatch, capsys):
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", no_space)
        assert "not kept" in progress.keep("00", "six")
        progress.show()
        assert "not kept" in capsys.readouterr().out
    assert progress.keep("01", "seven") == ""
    assert stored(file) == {"00": {"six": TODAY}, "01": {"seven": TODAY}}


def test_a_home_with_a_file_in_place_of_the_folder(home, file):
    file.parent.write_text("not a folder")
    assert "can't be used" in progress.keep("01", "six")
    assert file.parent.read_text() == "not a folder"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"solved": {"01": {"six": "2025-1',
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'{"notes": "mine"}',
        b'{"solved": ["six"]}',
        b'{"solved": {"01": ["six"]}}',
        b'{"solved": {"01": {"six": true}}}',
        b'{"solved": {"01": {"six": "yesterday"}}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_set_aside_and_told(home, file, capsys, content):
    file.parent.mkdir()
    file.write_bytes(content)
    lab = example_lab()
    lab.score_card()
    progress.show()
    progress.delete()
    assert capsys.readouterr().out.count("is damaged or holds something else") == 3
    assert file.read_bytes() == content  # looking at it, and deleting the record, leave it

    lab.six(6)
    assert "set aside as `progress.damaged-1.json`" in capsys.readouterr().out
    assert file.with_name("progress.damaged-1.json").read_bytes() == content
    assert stored(file) == {"01": {"six": TODAY}}
    lab.seven(7)
    assert capsys.readouterr().out == "✔ Correct: seven\nSeven, perhaps.\n"


def test_a_second_damaged_file_does_not_replace_the_first(home, file):
    file.parent.mkdir()
    for content in ("first", "second"):
        file.write_text(content)
        progress.keep("01", content)
    assert file.with_name("progress.damaged-1.json").read_text() == "first"
    assert file.with_name("progress.damaged-2.json").read_text() == "second"


# The score card


def test_after_a_restart_the_card_says_what_was_solved_before(home, file, small_course, capsys):
    write(file, {"01": {"six": "2025-10-01", "accuracy": "2025-10-02"}, "02": {}})
    lab = example_lab()
    lab.score_card()
    assert capsys.readouterr().out.splitlines() == [
        "★ Score card: 01 First lab: 2 of 3 correct",
        "    ✔ solved on 2025-10-01  six",
        "    · not run               seven",
        "    ✔ solved on 2025-10-02  accuracy",
        "Run a check again after you change its answer; then run this cell again.",
        "In the whole course you have solved 1 of 3 exercises (measured results are not counted); "
        "`progress.show()` in lab 00 lists them by lab.",
    ]


def test_the_card_tells_this_kernels_answer_before_the_earlier_one(home, file, capsys):
    write(file, {"01": {"six": "2025-10-01", "seven": "2025-10-01"}})
    lab = example_lab()
    with pytest.raises(CheckFailed):
        lab.six(5)
    lab.seven(7)
    lab.score_card()
    out = capsys.readouterr().out
    assert "1 of 2 correct" in out
    assert re.search(r"✘ wrong +six \(solved on 2025-10-01\)", out)
    assert re.search(r"✔ correct +seven\n", out)


def test_a_lab_keeps_its_record_when_its_title_changes(home):
    progress.keep("01 First lab", "six")
    assert progress.solved("01 Another title") == {"six": TODAY}
    assert progress.solved("02 Second lab") == {}


# The whole course


def test_show_lists_labs_open_exercises_and_the_place(home, file, small_course, capsys):
    write(file, {"01": {"six": "2025-10-01", "accuracy": "2025-10-02", "renamed": "2025-10-02"}})
    progress.show()
    first, *table, last = capsys.readouterr().out.splitlines()
    assert first == "★ Progress: 1 of 3 exercises solved"
    assert table == [
        "    ○ 01 First lab    1 of  2",
        "         open: seven",
        "    · 02 Second lab   0 of  1",
    ]
    assert f"lies in `{file}`" in last


def test_show_marks_a_lab_that_is_complete(home, small_course, capsys):
    progress.keep("02", "a loss")
    progress.show()
    assert "✔ 02 Second lab   1 of  1" in capsys.readouterr().out


def test_delete_says_what_it_deleted_and_nothing_comes_back(home, file, small_course, capsys):
    lab = example_lab()
    lab.six(6)
    capsys.readouterr()
    progress.delete()
    assert f"`{file}` is deleted, with 1 check that" in capsys.readouterr().out
    assert list(home.iterdir()) == []
    lab.seven(7)
    assert stored(file) == {"01": {"seven": TODAY}}


def test_delete_takes_what_was_not_yet_written_too(home, file, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", no_space)
        progress.keep("00", "six")
    progress.delete()
    progress.keep("01", "seven")
    assert stored(file) == {"01": {"seven": TODAY}}


def test_delete_without_a_record_says_so(home, capsys):
    progress.delete()
    assert "There is no record" in capsys.readouterr().out
    assert list(home.iterdir()) == []


def test_delete_leaves_and_names_what_was_set_aside(home, file, capsys):
    file.parent.mkdir()
    file.write_text("damaged")
    progress.keep("01", "six")
    progress.delete()
    aside = file.with_name("progress.damaged-1.json")
    assert f"set aside are left: `{aside}`" in capsys.readouterr().out
    assert not file.exists()
    assert aside.read_text() == "damaged"


def test_exercises_counted_are_those_of_the_labs():
    """For each lab that is built: its module of checks has one check for each graded cell."""
    counts = {lab.name[:2]: len(lab.exercises) for lab in progress._labs()}
    notebooks = sorted(ROOT.glob("labs/[0-9][0-9]_*.ipynb"))
    assert notebooks
    for path in notebooks:
        cells = nbformat.read(path, as_version=4).cells
        graded = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
        assert counts[path.name[:2]] == len(graded), path.name


def test_a_lab_whose_checks_cannot_be_imported_does_not_hide_the_others(monkeypatch):
    everything = progress._labs()
    original = progress.importlib.import_module

    def broken(name):
        if name == "helpers.checks.cnn":
            raise SyntaxError("half written")
        return original(name)

    monkeypatch.setattr(progress.importlib, "import_module", broken)
    assert [lab.name for lab in everything if lab not in progress._labs()] == [
        "03 Convolution and a CNN on MNIST"
    ]


def test_the_overview_is_cheap(home):
    """Neither the import nor the table of all labs loads Keras, pandas or Matplotlib."""
    code = (
        "import sys; from helpers import progress; progress.show();"
        "print(sorted({'keras', 'tensorflow', 'pandas', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert "exercises solved" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
