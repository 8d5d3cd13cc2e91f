"""Servers that see one home, not the others', and none of the solutions; no root needed.

Bubblewrap (https://github.com/containers/bubblewrap) gives each server a view of its own of the
file system: all is read-only but the student's home and a /tmp of their own; the other homes, the
hub's secrets, the solutions, the tests and the git history are not there.
"""

import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import Unicode

COURSE = Path(__file__).resolve().parents[1]
# What would tell an answer: `.git` holds the history of all of it.
HIDDEN = ("solutions", "tests", "authoring", ".git", "hub/state")
BRANCH = "labs"


def hand_out(labs, repository):
    """Commit the folder `labs` to a bare git repository that nbgitpuller can pull from.

    Nothing is committed where nothing has changed. Students' own changes are kept by nbgitpuller:
    https://nbgitpuller.readthedocs.io/en/latest/topic/automatic-merging.html
    """

    def git(*arguments, check=True):
        names = ["-c", "user.name=course", "-c", "user.email=course"]
        command = ["git", f"--git-dir={repository}", f"--work-tree={labs}", *names, *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True, cwd=labs)

    if not Path(repository).exists():
        subprocess.run(
            ["git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(repository)],
            check=True,
        )
    git("add", "--all", ".", ":!*.ipynb_checkpoints*")
    if git("diff", "--cached", "--quiet", check=False).returncode:
        git("commit", "--quiet", "--message=Labs")


def sandbox(home, state, data=""):
    """Return the first words of a command that sees `home` and, read-only, course and data folder.

    `state` is the folder of everything that the hub writes; `data` what COURSE_DATA says.
    """
    hidden = [str(path) for name in HIDDEN if (path := COURSE / name).is_dir()]
    shown = [sys.base_prefix, sys.prefix, str(COURSE)]
    if Path(data).is_dir() and Path(data).is_absolute():
        shown.append(data)  # it may lie in the home of whoever runs the hub
    words = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/tmp"]
    words += ["--tmpfs", str(Path.home())]  # keys and files of whoever runs the hub
    for path in dict.fromkeys(shown):
        words += ["--ro-bind", path, path]
    for path in dict.fromkeys([*hidden, str(state)]):
        words += ["--tmpfs", path]
    words += ["--ro-bind", f"{state}/labs.git", f"{state}/labs.git"]
    words += ["--bind", str(home), str(home), "--chdir", str(home)]
    words += ["--cap-drop", "ALL"]  # started by root, a server could uncover what is hidden
    return [*words, "--unshare-pid", "--proc", "/proc", "--die-with-parent", "--"]


class CourseSpawner(SimpleLocalProcessSpawner):
    """Starts a student's server in its sandbox, after new labs were pulled into the home."""

    state = Unicode(help="The folder of everything that the hub writes.", config=True)

    async def start(self):
        home = Path(self.home_dir)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        hand_out(COURSE / "labs", Path(self.state) / "labs.git")
        return await super().start()

    @property
    def shell_cmd(self):
        """What the spawner puts before the server's own command, which comes as one last word."""
        pull = shlex.join(["gitpuller", f"file://{self.state}/labs.git", BRANCH, "labs"])
        # Where pulling fails the student gets to work all the same, with the labs that are there.
        script = f'{pull} || echo "The labs could not be updated."; eval "exec $1"'
        data = self.environment.get("COURSE_DATA", "")
        return [*sandbox(self.home_dir, self.state, data), "bash", "-c", script, "server"]

    def get_args(self):
        return [*super().get_args(), *(["--allow-root"] if os.getuid() == 0 else [])]

    def make_preexec_fn(self, name):
        limit = self.mem_limit

        def preexec():
            # Of each process, not of all together: without root there is no more to be had.
            if limit:
                resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        return preexec
