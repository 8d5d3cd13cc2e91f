"""Servers that see one home and the labs, not the others' homes and none of the solutions."""

import os
import resource
import shlex
import subprocess
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import Unicode

from hub.sandbox import COURSE, data_folder, sandbox

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
        shown = [f"{self.state}/labs.git", *data_folder(self.environment.get("COURSE_DATA"))]
        return [*sandbox(self.home_dir, self.state, shown), "bash", "-c", script, "server"]

    def get_args(self):
        return [*super().get_args(), *(["--allow-root"] if os.getuid() == 0 else [])]

    def make_preexec_fn(self, name):
        limit = self.mem_limit

        def preexec():
            # Of each process, not of all together: without root there is no more to be had.
            if limit:
                resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        return preexec
