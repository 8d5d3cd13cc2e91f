"""Grades the labs of a class with nbgrader, from the students' homes on the local hub.

    python -m hub.grading release 03      make lab 03 known to nbgrader
    python -m hub.grading collect 03      take what each student has saved
    python -m hub.grading autograde 03    run it, and give points for each check that passes
    python -m hub.grading feedback 03     put what was marked into the students' homes
    python -m hub.grading marks           write the table of all points

nbgrader does the marking, in its usual folders (`submitted/STUDENT/LAB/LAB.ipynb`), which lie in
the folder `grading` of the hub's state. What is done here is to keep the class from harm: students'
programs run in a sandbox with neither network nor gradebook, each submission in processes of its
own with limits of time and memory, and what can't be marked is named with the reason.
"""

import argparse
import csv
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from hub.sandbox import COURSE, data_folder, sandbox

LARGEST = 20 * 2**20  # bytes of a notebook; the labs, solved, have less than 1 MB
MEMORY = 2 * 2**30  # bytes of each process, as on the hub
LARGEST_FILE = 200 * 2**20  # bytes of a file that a submission writes, the log among them
WAIT = 30  # seconds for a file to be read or written
LONGEST = 20 * 60  # seconds for a submission; no lab takes more than four minutes
# What of the instructor's environment a submission gets to see; a token may lie in the rest.
PASSED = ("PATH", "LANG", "LC_ALL", "COURSE_DATA", "KERAS_BACKEND")
# Words in nbgrader's log, and what they mean for a submission that it could not mark.
REASONS = {
    "DeadKernelError": "its kernel died: it ended itself, or ran out of memory",
    "CellTimeoutError": "a cell went on for too long and could not be stopped",
    "NotJSONError": "the file is not a notebook",
    "nbgrader metadata format": "the marks of its cells are of another version of nbgrader",
    "MemoryError": "nbgrader ran out of memory: it probably printed without end",
}
# The same for a cell that was mended before the submission was marked.
MENDED = {
    r"Attribute 'checksum' for cell '?(\S+?)'? has changed": "was changed and is put back",
    r"Missing grade cell (\S+) encountered": "was missing and is put back",
    r"Cell with id '(\S+)' exists multiple times": "was there more than once: the last one counts",
}


class GradingError(Exception):
    """What went wrong, in a sentence for the instructor."""


class Grading:
    """The marking of one lab for the class of one hub.

    `lab` is the name of a lab without its ending, `state` the folder of everything that the hub
    writes, `course` that of `labs/` and `solutions/`. Each step prints what became of whose work.
    """

    def __init__(self, lab, state, course=COURSE):
        self.lab, self.course = lab, Path(course)
        self.state, self.folder = Path(state), Path(state) / "grading"

    def path(self, step, student="."):
        """Return where nbgrader keeps a student's notebook; `step` is `submitted`, for one."""
        return self.folder / step / student / self.lab / f"{self.lab}.ipynb"

    def remark(self, student):
        """Return the file of what is to be said of a student's submission; it may not exist."""
        return self.folder / "remarks" / self.lab / f"{student}.txt"

    def release(self):
        """Make the lab known to nbgrader, with the points of its checks.

        Raises GradingError when what nbgrader would hand out is not what lies in `labs/`.
        """
        source = self.path("source")
        source.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.course / "solutions" / source.name, source)
        done = self.nbgrader("generate_assignment", "--create", "--force")
        if done.returncode:
            raise GradingError(f"nbgrader can't release {self.lab}: {why(done.log)}")
        if self.path("release").read_bytes() != (self.course / "labs" / source.name).read_bytes():
            raise GradingError(
                f"labs/{source.name} is not what the solution gives: make build LAB={self.lab[:2]}"
            )
        print(f"{self.lab} is released: {self.points():g} points.")

    def collect(self, update=False):
        """Take the notebook that each student has saved; later versions only with `update`.

        It is read as the student would read it, in the sandbox: a link to the work of somebody
        else leads nowhere.
        """
        self.points()
        for home in homes(self.state):
            print(f"{home.name}: {self.collect_from(home, update)}")

    def collect_from(self, home, update):
        """Return what became of the notebook in this home, in words."""
        target = self.path("submitted", home.name)
        stamp = target.with_name("timestamp.txt")
        file = f"labs/{target.name}"
        read = ["head", f"--bytes={LARGEST + 1}", file]
        try:
            done = run([*sandbox(home, self.state), *read], seconds=WAIT, capture_output=True)
        except subprocess.TimeoutExpired:
            return f"not taken: {file} can't be read to its end"
        if done.returncode:
            return f"not taken: there is no {file}"
        if len(done.stdout) > LARGEST:
            return f"not taken: {file} is larger than {LARGEST / 2**20:g} MB"
        if target.exists():
            taken = f"taken {stamp.read_text()}"
            if target.read_bytes() == done.stdout:
                return taken
            if not update:
                return f"{taken}, and changed since"
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes(done.stdout)
        # When it was saved is of no use here: students can set that to any time.
        stamp.write_text(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        part.replace(target)
        return f"taken {stamp.read_text()}"

    def autograde(self, cell_seconds=300):
        """Mark what was collected and not yet marked in that version.

        A cell may run for `cell_seconds`, a submission for LONGEST.
        """
        possible = self.points()
        for notebook in sorted(self.folder.glob(f"submitted/*/{self.lab}/{self.lab}.ipynb")):
            student = notebook.parents[1].name
            reason = self.autograde_one(student, cell_seconds)
            result = f"not marked: {reason}"
            if not reason:
                result = f"{self.points(student):g} of {possible:g} points"
            print(f"{student}: {result}", flush=True)

    def autograde_one(self, student, cell_seconds):
        """Mark a submission; return why it can't be marked, or nothing."""
        remark, graded = self.remark(student), self.path("autograded", student)
        remark.parent.mkdir(parents=True, exist_ok=True)
        options = [f"--student={student}", f"--Execute.timeout={cell_seconds}"]
        try:
            done = self.nbgrader("autograde", *options, student=student)
            reason = why(done.log) if done.returncode else ""
        except subprocess.TimeoutExpired:
            reason = f"it ran for more than {LONGEST / 60:g} minutes"
        if reason:
            shutil.rmtree(graded.parent, ignore_errors=True)
            remark.write_text(f"not marked: {reason}\n")
        elif "Skipping existing assignment" not in done.log:
            lost = checks(self.path("release")) - checks(graded)
            remarks = [*mended(done.log), *(f"{name} is missing." for name in sorted(lost))]
            remark.write_text("".join(f"{line}\n" for line in remarks))
        return reason

    def feedback(self):
        """Put the marked notebook, or why there is none, into each home's folder `feedback`."""
        marked = list(self.folder.glob(f"autograded/*/{self.lab}/{self.lab}.ipynb"))
        done = self.nbgrader("generate_feedback", "--force") if marked else None
        if done and done.returncode:
            raise GradingError(f"nbgrader can't write the feedback: {why(done.log)}")
        for home in homes(self.state):
            given = self.remark(home.name)
            if self.path("autograded", home.name) in marked:
                given = self.path("feedback", home.name).with_suffix(".html")
            if not given.exists():
                print(f"{home.name}: nothing was marked")
                continue
            file = f"feedback/{self.lab}{given.suffix}"
            # In the sandbox, so that a link in the home leads to nothing that isn't the student's.
            write = f"mkdir -p feedback && cat > {file}"
            command = [*sandbox(home, self.state), "sh", "-c", write]
            try:
                failed = run(
                    command, WAIT, input=given.read_bytes(), capture_output=True
                ).returncode
            except subprocess.TimeoutExpired:
                failed = True
            print(f"{home.name}: " + (f"can't write {file}" if failed else file))

    def points(self, student=None):
        """Return the points of a student, or those that can be reached.

        Raises GradingError when the lab was not released.
        """
        with gradebook_of(self.folder) as gradebook:
            try:
                if student:
                    return gradebook.find_submission(self.lab, student).score
                return gradebook.find_assignment(self.lab).max_score
            except MissingEntry:
                raise GradingError(
                    f"{self.lab} was not released: make release LAB={self.lab[:2]}"
                ) from None

    def mark(self, student):
        """Return points, time of collecting and remark of a student, for the table."""
        stamp, remark = self.path("submitted", student).with_name("timestamp.txt"), ""
        taken = stamp.read_text() if stamp.exists() else ""
        if self.remark(student).exists():
            remark = self.remark(student).read_text().strip().replace("\n", " ")
        if self.path("autograded", student).exists():
            return self.points(student), taken, remark
        if taken:
            return "", taken, remark or "not marked yet"
        return 0, "", "nothing was collected"

    def nbgrader(self, step, *options, student=None):
        """Run a step of nbgrader for this lab; with `student`, programs run in a sandbox.

        Returns the finished process, with what it printed as `log`; it is kept in `logs/`.
        """
        log = self.folder / "logs" / self.lab / f"{step}{'-' if student else ''}{student or ''}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        course = f"--course-dir={self.folder}"
        command = [sys.executable, "-m", "nbgrader", step, self.lab, course, *options]
        environment = {name: os.environ[name] for name in PASSED if name in os.environ}
        environment |= {"PYTHONPATH": str(COURSE)}
        # Short, and not below the state's folder, which the sandbox hides: the kernel's Unix
        # sockets lie there, whose names may have 107 letters.
        with tempfile.TemporaryDirectory(prefix="grade-") as scratch, log.open("wb") as file:
            if student:
                environment |= self.kernel(Path(scratch))
                command += [f"--KernelManager.connection_file={scratch}/home/kernel.json"]
            # nbgrader reads the nbgrader_config.py of the folder where it runs.
            where = {"cwd": COURSE / "hub", "env": environment}
            done = run(command, LONGEST, stdout=file, stderr=subprocess.STDOUT, **where)
        done.log = log.read_text(encoding="utf-8", errors="replace")
        return done

    def kernel(self, scratch):
        """Install a kernel that runs in a sandbox; return what lets nbgrader find it."""
        home = scratch / "home"
        home.mkdir()
        words = sandbox(home, self.state, data_folder(os.environ.get("COURSE_DATA")), network=False)
        # In a sandbox the parent of a kernel is process 1, which it takes for a parent gone.
        words += ["env", "--unset=JPY_PARENT_PID"]
        python = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {
            "argv": [*words, *python],
            "display_name": "Python 3 in a sandbox",
            "language": "python",
            "interrupt_mode": "message",  # a signal would end the sandbox
            # nbgrader gives no point for a check that writes to stderr, be it a warning only.
            "env": {"HOME": str(home), "PYTHONPATH": "", "PYTHONWARNINGS": "ignore"},
        }
        folder = scratch / "kernels" / "python3"
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))
        return {"HOME": str(home), "JUPYTER_PATH": str(scratch)}


def gradebook_of(folder):
    """Return nbgrader's gradebook in this folder; GradingError before any lab was released."""
    path = Path(folder, "gradebook.db")
    if not path.exists():
        raise GradingError("No lab was released yet: make release LAB=03, for one.")
    return Gradebook(f"sqlite:///{path}")


def homes(state):
    """Return the homes of all students, in order; GradingError where there is none."""
    found = [path for path in sorted(Path(state, "homes").glob("*")) if path.name != "instructor"]
    if not found:
        raise GradingError(f"No student has logged in: {state}/homes is empty.")
    return found


def run(command, seconds, **options):
    """Run a command with the limits of a submission; return the finished process.

    Raises subprocess.TimeoutExpired when it takes longer than `seconds`.
    """

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))

    return subprocess.run(command, timeout=seconds, preexec_fn=limit, check=False, **options)


def why(log):
    """Return what a log of nbgrader says went wrong."""
    known = [words for said, words in REASONS.items() if said in log]
    return known[0] if known else "nbgrader failed; its log is in grading/logs"


def checks(path):
    """Return the names of the checks in a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    marks = [cell.metadata.get("nbgrader", {}) for cell in cells]
    return {mark["grade_id"] for mark in marks if mark.get("grade")}


def mended(log):
    """Return sentences on the cells that nbgrader has put right in a submission."""
    return [f"{cell} {words}." for said, words in MENDED.items() for cell in re.findall(said, log)]


def marks(state):
    """Write marks.csv, a row for each student and released lab; return its path.

    `points` is empty where a submission could not be marked and 0 where there was none; `remark`
    says which, and which cells were mended.
    """
    folder = Path(state) / "grading"
    with gradebook_of(folder) as gradebook:
        labs = [(assignment.name, assignment.max_score) for assignment in gradebook.assignments]
        students = {student.id for student in gradebook.students}
    students |= {home.name for home in homes(state)}
    target = folder / "marks.csv"
    with target.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", "lab", "points", "of", "collected", "remark"])
        for lab, possible in sorted(labs):
            for student in sorted(students):
                points, taken, remark = Grading(lab, state).mark(student)
                table.writerow([student, lab, points, possible, taken, remark])
    return target


def main(arguments=None):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hub.grading", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("step", choices=["release", "collect", "autograde", "feedback", "marks"])
    parser.add_argument("lab", nargs="?", metavar="NN", help="number of a lab")
    parser.add_argument("--update", action="store_true", help="collect later versions, too")
    options = parser.parse_args(arguments)
    state = Path(os.environ.get("COURSE_HUB") or COURSE / "hub" / "state").resolve()
    try:
        if options.step == "marks":
            print(marks(state))
            return 0
        grading = Grading(lab_named(options.lab), state)
        step = getattr(grading, options.step)
        step(update=True) if options.update and options.step == "collect" else step()
    except GradingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def lab_named(number):
    """Return the name of the lab with this number, such as "03"; GradingError if there is none."""
    labs = sorted(path.stem for path in (COURSE / "labs").glob("[0-9][0-9]_*.ipynb"))
    for lab in labs:
        if number and lab.startswith(f"{number}_"):
            return lab
    known = ", ".join(lab[:2] for lab in labs)
    raise GradingError(f"Which lab? There are {known}: LAB=03, for one.")


if __name__ == "__main__":
    sys.exit(main())
