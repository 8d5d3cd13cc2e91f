"""The images of a cluster's servers and of Binder: what gets in, and what is installed there.

Nothing here needs Docker. With TESTS_IMAGE=python3.13 the image is also built: its steps are taken
in a folder, with a virtual environment of that Python. That takes minutes and the package index.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from docker.utils.build import PatternMatcher, exclude_paths
from dockerfile_parse import DockerfileParser

from hub.sandbox import COURSE, HIDDEN

IMAGE = COURSE / "hub" / "image"
# Of the base image: https://jupyter-docker-stacks.readthedocs.io/en/latest/using/selecting.html
PYTHON = "3.13"
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
asked_for = pytest.mark.skipif(
    "TESTS_IMAGE" not in os.environ, reason="takes minutes; asked for by TESTS_IMAGE=python3.13"
)


@pytest.fixture(scope="module")
def dockerfile():
    return DockerfileParser(str(IMAGE / "Dockerfile"))


def instructions(dockerfile, *kinds):
    """Return the instructions of these kinds, in their order, as pairs of kind and text."""
    steps = [(step["instruction"], step["value"]) for step in dockerfile.structure]
    return [(kind, text) for kind, text in steps if kind in kinds]


def patterns(ignore):
    """Return what a .dockerignore lists."""
    lines = [line.strip() for line in ignore.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def context():
    """Return what Docker gets to see of the course: files, as paths from its folder."""
    found = exclude_paths(str(COURSE), patterns(COURSE / ".dockerignore"))
    return {path for path in found if (COURSE / path).is_file()}


def copy(text, files, folder):
    """Do what `COPY text` does, from the course to a folder that stands for the image's own.

    Raises AssertionError where there is nothing to copy, at which Docker would stop, too.
    """
    *sources, target = text.split()
    for source in sources:
        found = [path for path in files if path == source or path.startswith(f"{source}/")]
        assert found, f"{source} is not there, or ignored, or an option"
        for path in found:
            rest = path.removeprefix(source).strip("/")
            name = "" if rest or not target.endswith("/") else Path(source).name
            place = folder / target / name / rest
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(COURSE / path, place)


def build(dockerfile, folder, **environment):
    """Make the folder of the course that the image would have.

    Only with an environment, which has to bring a Python to install into, programs are run as well.
    """
    folder.mkdir()
    files = context()
    for kind, text in instructions(dockerfile, "COPY", "RUN"):
        if kind == "COPY":
            copy(text, files, folder)
        elif environment:
            done = run(folder, "bash", "-c", text, **environment)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def image(dockerfile, tmp_path_factory):
    """The folder of the course in the image, where nothing was installed."""
    return build(dockerfile, tmp_path_factory.mktemp("image") / "course")


def run(folder, *command, **environment):
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_solution_gets_near_the_image():
    files = context()
    assert not [path for path in files if path.split("/")[0] in (*HIDDEN, "labs")]
    assert not [path for path in files if "BEGIN SOLUTION" in (COURSE / path).read_text("latin-1")]


def test_the_image_has_what_students_need_and_no_more(image):
    folders = {path.name for path in image.iterdir()}
    assert folders == {"datasets", "helpers", "hub", "pyproject.toml", "requirements.txt"}
    inside = {str(path.relative_to(image)) for path in image.rglob("*") if path.is_file()}
    tracked = run(COURSE, "git", "ls-files", "helpers", "datasets").stdout.splitlines()
    assert set(tracked) <= inside


def test_the_course_works_with_the_files_of_the_image_alone(image):
    code = (
        "import helpers.environment as e; print(e.__file__); from helpers import data; data.pets()"
    )
    done = run(image, sys.executable, "-c", code, PYTHONPATH=str(image), COURSE_DATA="offline")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(image))


def test_the_base_image_is_pinned_to_a_day(dockerfile):
    assert re.fullmatch(r"quay\.io/jupyter/minimal-notebook:20\d\d-\d\d-\d\d", dockerfile.baseimage)


def test_what_is_installed_is_pinned():
    lines = (IMAGE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    lines = [line.split("#")[0].strip() for line in lines]
    packages = dict(line.split("==") for line in lines if line)
    assert set(packages) == {"jupyterhub", "nbgitpuller"}
    # Hub and servers agree, and labs are pulled by what the local hub has tried.
    values = (COURSE / "hub" / "kubernetes" / "values.yaml").read_text(encoding="utf-8")
    assert f"The chart brings JupyterHub {packages['jupyterhub']};" in values
    local = (COURSE / "hub" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert f"nbgitpuller=={packages['nbgitpuller']}" in local


def test_students_are_not_root(dockerfile):
    assert instructions(dockerfile, "USER")[-1] == ("USER", "${NB_UID}")


def test_a_server_without_a_gpu_is_shown_none(dockerfile):
    assert "NVIDIA_VISIBLE_DEVICES" not in dockerfile.envs
    assert dockerfile.envs["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"


def test_the_comments_say_how_to_build_what_the_profiles_run(dockerfile):
    version = tomllib.loads((COURSE / "pyproject.toml").read_text())["project"]["version"]
    for variant in ("cpu", "cuda"):
        name = f"registry.example.org/deep-learning-labs:{version}-{variant}"
        assert f"-t {name} " in dockerfile.content


@pytest.fixture
def installed(dockerfile, tmp_path):
    """What to set so that programs find what the image has installed; gone after the test."""
    environment = tmp_path / "environment"
    subprocess.run([os.environ["TESTS_IMAGE"], "-m", "venv", str(environment)], check=True)
    settings = {
        "PATH": f"{environment}/bin:{os.environ['PATH']}",
        "GIT_CONFIG_SYSTEM": str(tmp_path / "gitconfig"),
        "COURSE_DATA": "offline",
        "CI": "true",
        "HOME": str(tmp_path),
    }
    for _, text in instructions(dockerfile, "ARG"):
        name, value = text.split("=", 1)
        settings[name] = value.strip('"')
    build(dockerfile, tmp_path / "course", **settings)
    yield settings
    shutil.rmtree(environment)  # gigabytes


@asked_for
@pytest.mark.timeout(1800)
def test_a_solved_lab_runs_in_the_image(installed, tmp_path):
    extensions = run(tmp_path, "jupyter", "labextension", "list", **installed)
    listed = extensions.stdout + extensions.stderr
    assert re.search(r"@jupyter/nbgrader v\S+ .*enabled.*OK", listed), listed
    assert "@jupyter/nbgrader:formgrader" in listed.split("Disabled extensions")[1]
    assert "@jupyter/nbgrader:validate-assignment" not in listed
    places = ["etc/ipython/ipython_kernel_config.py", "share/jupyter/lab/settings/overrides.json"]
    assert all((tmp_path / "environment" / place).is_file() for place in places)
    assert run(tmp_path, "gitpuller", "--help", **installed).returncode == 0

    shutil.copy(COURSE / "solutions" / "00_start_here.ipynb", tmp_path)
    done = run(tmp_path, "jupyter", "execute", "00_start_here.ipynb", **installed)
    assert done.returncode == 0, done.stderr


@asked_for
@pytest.mark.timeout(900)
def test_the_packages_for_gpus_go_together(dockerfile, tmp_path):
    variant = re.search(r'--build-arg (TENSORFLOW=".+")', dockerfile.content)[1]
    package = shlex.split(variant)[0].split("=", 1)[1]
    course = (COURSE / "requirements.txt").read_text(encoding="utf-8")
    # The course itself is not on the index, and --only-binary refuses to build it.
    (tmp_path / "course.txt").write_text(course.replace("--editable .\n", ""))
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    command += [f"--target={tmp_path}/none", f"--python-version={PYTHON}", "--only-binary=:all:"]
    command += [f"--platform={name}_x86_64" for name in PLATFORMS]
    command += [f"--report={report}", "-r", "course.txt", "-r", str(IMAGE / "requirements.txt")]
    done = run(tmp_path, *command, package)
    assert done.returncode == 0, done.stderr
    installed = json.loads(report.read_text())["install"]
    versions = {one["metadata"]["name"]: one["metadata"]["version"] for one in installed}
    assert f"tensorflow=={versions['tensorflow']}\n" in course
    assert any(name.startswith("nvidia-cudnn") for name in versions)


# Binder.


@pytest.fixture(scope="module")
def binder():
    """What repo2docker would do to make Binder's image."""
    command = ["jupyter-repo2docker", "--no-build", "--debug"]
    command += ["--user-id=1000", "--user-name=jovyan", "."]
    done = run(COURSE, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_binder_uses_the_python_of_the_image(binder):
    assert f"Building conda environment for python={PYTHON}\n" in binder


def test_binder_installs_the_course_after_its_files_are_there(binder):
    install = 'pip install --no-cache-dir -r ".binder/requirements.txt"'
    assert binder.count(install) == 1
    assert binder.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/") < binder.index(install)
    (line,) = (COURSE / ".binder" / "requirements.txt").read_text().split("\n")[:-1]
    option, path = line.split()
    assert option == "--requirement"
    assert (COURSE / ".binder" / path).resolve() == COURSE / "requirements.txt"


def test_binder_has_labs_and_no_solution():
    ignored = PatternMatcher(patterns(COURSE / ".binder" / ".dockerignore"))
    files = run(COURSE, "git", "ls-files").stdout.splitlines()
    folders = {path.split("/")[0] for path in [*files, ".git/HEAD"] if not ignored.matches(path)}
    assert {"labs", "helpers", "datasets"} <= folders
    assert not folders & set(HIDDEN)
