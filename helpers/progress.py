"""What a student has solved, by lab: a small file in their home that only they read.

Every check that answers *correct* is noted with the day on which it first did. What was solved once
stays solved, also where the answer is changed later. Answers and failed attempts are not noted,
nothing is sent anywhere, and no grade is made from it. Settings, all environment variables:

COURSE_PROGRESS      a file or folder instead of ~/.deep-learning-labs/progress.json, or `off`
CI                   set: nothing is read or written, so that tests leave no traces
NBGRADER_EXECUTION   `autograde` (nbgrader sets it): the same, because the home is not the student's
"""

import contextlib
import importlib
import itertools
import json
import os
import pkgutil
import tempfile
import textwrap
import time
from datetime import date
from pathlib import Path

from helpers import panel

DEFAULT = "~/.deep-learning-labs/progress.json"
CHECKS = "helpers.checks"  # by name, since the checks import this module
ABOUT = "What is solved in the deep learning labs, and since when. It may be deleted at any time."
PATIENCE = 3.0  # seconds; the lock is held for milliseconds, so whoever held it that long is gone

_waiting = {}  # solved in this kernel and not yet in the file, laid out as the record is
_told = []  # the sentence on a record that can't be kept, once it was shown


class _Damaged(Exception):
    """The file is there but holds no record."""


def show():
    """Display what is solved of each lab, which exercises are open and where the record lies.

    Exercises are counted; the measured results that a lab asks for are on its own score card.
    """
    if reason := _off():
        message = (
            f"Nothing is kept here, because {reason}. Otherwise a table of all labs stands here."
        )
        _display("not kept", message)
        return
    try:
        record, labs = _load(), _labs()
        where = f"The record lies in `{_location()}` and is sent nowhere."
        if _waiting and _told:
            where = _told[0]
    except Exception as problem:  # see `keep`
        _display("not kept", _not_kept(problem))
        return
    done, total = _count(record, labs)
    advice = "What was solved once stays solved. `progress.delete()` deletes the record."
    message = f"{_table(record, labs)}\n\n{where} {advice}"
    _display(f"{done} of {total} exercises solved", message)


def delete():
    """Delete the record and display what was deleted.

    Files that hold something else, damaged ones that were set aside among them, stay.
    """
    if reason := _off():
        _display("nothing deleted", f"Nothing is kept here, because {reason}.")
        return
    title = "nothing deleted"
    try:
        path = _location()
        if path.exists():
            with _locked(path):
                record = _read(path)
                path.unlink()
            title = "deleted"
            count = sum(map(len, record.values()))
            message = f"`{path}` is deleted, with {_plural(count, 'check')} that you had solved."
            if path.parent.name == Path(DEFAULT).parent.name:
                with contextlib.suppress(OSError):  # something else is in it
                    path.parent.rmdir()
        else:
            message = f"There is no record: `{path}` does not exist."
        _waiting.clear()
        if aside := sorted(path.parent.glob(f"{path.stem}.damaged-*{path.suffix}")):
            names = ", ".join(f"`{file}`" for file in aside)
            message += f" Damaged files that were set aside are left: {names}."
    except _Damaged as problem:
        message = f"{problem}, so it is left: if you don't need it, delete it by hand."
    except Exception as problem:  # see `keep`
        message = f"The record can't be deleted ({_reason(problem)})."
    _display(title, message)


def keep(lab, title):
    """Note that the check `title` of a lab is solved; a lab's name begins with its number.

    Returns a sentence for the student when something is to be told, mostly "". Never raises.
    """
    if _off():
        return ""
    try:
        day = date.today().isoformat()
        _waiting.setdefault(_number(lab), {}).setdefault(title, day)
        note = _write_waiting(_location())
    # A home can be full, missing, read-only or of a kind not thought of. None of that may stand
    # between a student and the answer of the check.
    except Exception as problem:
        if _told:
            return ""
        _told.append(_not_kept(problem))
        return _told[0]
    _waiting.clear()
    return note


def solved(lab):
    """Return {title: day} of what was solved in a lab, {} where nothing is kept. Never raises."""
    if _off():
        return {}
    try:
        return _load().get(_number(lab), {})
    except Exception:  # `summary`, on the same score card, says why
        return {}


def summary():
    """Return the sentence of a score card on the whole course, "" where nothing is kept."""
    if _off():
        return ""
    try:
        done, total = _count(_load(), _labs())
    except Exception as problem:  # see `keep`
        return _not_kept(problem)
    return (
        f"In the whole course you have solved {done} of {total} exercises (measured results are "
        "not counted); `progress.show()` in lab 00 lists them by lab."
    )


def _display(title, message):
    panel.show(panel.Panel("progress", title, message))


def _off():
    """Return why nothing is kept, in words that follow *because*; "" where it is."""
    if os.environ.get("CI"):
        return "the variable `CI` is set, as it is where notebooks are tested"
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return "nbgrader is grading"
    if _setting().lower() == "off":
        return "the variable `COURSE_PROGRESS` is `off`"
    return ""


def _setting():
    return os.environ.get("COURSE_PROGRESS", "").strip()


def _location():
    """Return the path of the file; one that is not absolute is meant from the home folder on."""
    path = Path(_setting() or DEFAULT).expanduser()
    if not path.is_absolute():
        path = Path.home() / path
    path = path.resolve()  # the file that a link names is replaced, not the link
    return path / Path(DEFAULT).name if path.is_dir() else path


def _number(lab):
    # A lab keeps its number when its title is changed.
    return lab.split()[0]


def _labs():
    """Return the `Lab` of each module of checks, in their order; none of them needs Keras.

    A module that can't be imported is passed over: that is told where its own lab imports it.
    """
    labs = []
    for found in pkgutil.iter_modules(importlib.import_module(CHECKS).__path__):
        with contextlib.suppress(Exception):
            module = importlib.import_module(f"{CHECKS}.{found.name}")
            labs += [module.lab] if hasattr(module, "lab") else []
    return sorted(labs, key=lambda lab: lab.name)


def _open(record, lab):
    """Return the titles of a lab's exercises that are not solved."""
    return [title for title in lab.exercises if title not in record.get(_number(lab.name), {})]


def _count(record, labs):
    """Return how many exercises are solved, and how many there are."""
    total = sum(len(lab.exercises) for lab in labs)
    return total - sum(len(_open(record, lab)) for lab in labs), total


def _table(record, labs):
    """Return a line for each lab and, for one that was begun, the exercises that are open."""
    width = max(len(lab.name) for lab in labs)
    lines = []
    for lab in labs:
        left, total = _open(record, lab), len(lab.exercises)
        done = total - len(left)
        symbol = "✔" if not left else "○" if done else "·"
        lines.append(f"{symbol} {lab.name:<{width}}  {done:>2} of {total:>2}")
        if left and done:
            titles = "open: " + "; ".join(left)
            lines += textwrap.wrap(titles, 80, initial_indent=" " * 5, subsequent_indent=" " * 11)
    return textwrap.indent("\n".join(lines), "    ")


def _load():
    """Return the record: what the file holds, and what could not be written to it."""
    return _merged(_read(_location()), _waiting)


def _merged(record, more):
    """Return both records as one; the day in the first one holds."""
    merged = {lab: dict(record.get(lab, {})) for lab in sorted({*record, *more})}
    for lab, titles in more.items():
        for title, day in titles.items():
            merged[lab].setdefault(title, day)
    return merged


def _read(path):
    """Return the record in a file, {number: {title: day}}; {} when there is no file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        labs = json.loads(content)["solved"].items()
        return {
            lab: {title: date.fromisoformat(day).isoformat() for title, day in titles.items()}
            for lab, titles in labs
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _Damaged(f"`{path}` is damaged or holds something else than progress") from None


def _write_waiting(path):
    """Add what is waiting to the file; return a sentence if a damaged one had to make room."""
    with contextlib.suppress(_Damaged):
        record = _read(path)
        if _merged(record, _waiting) == record:
            return ""  # nothing is new, as in most runs of a check
    note = ""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        try:
            record = _read(path)
        except _Damaged as problem:
            record = {}
            note = f"{problem}. It is set aside as `{_set_aside(path)}`, and a new record begins."
        _replace(path, _merged(record, _waiting))
    return note


def _replace(path, record):
    """Write the file beside the old one, then take its place in one step."""
    text = json.dumps({"about": ABOUT, "solved": record}, indent=2, ensure_ascii=False)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(handle)  # some disks say only here that they are full
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _set_aside(path):
    """Rename a damaged file to a name that is free; return the new name."""
    for number in itertools.count(1):
        aside = path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")
        if not aside.exists():
            path.rename(aside)
            return aside.name


@contextlib.contextmanager
def _locked(path):
    """Held from reading the file to replacing it: two kernels would undo each other's entries."""
    lock = path.with_name(f".{path.name}.lock")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _not_kept(problem):
    if isinstance(problem, _Damaged):
        return f"{problem}. At your next right answer it is set aside and a new record begins."
    return f"Your progress is not kept: {_reason(problem)}. The checks work as ever."


def _reason(problem):
    if isinstance(problem, OSError):
        return f"`{_setting() or DEFAULT}` can't be used ({problem.strerror or problem})"
    return f"{type(problem).__name__}: {problem}"


def _plural(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
