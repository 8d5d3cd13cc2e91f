"""The environment report: what it shows, what it warns of, and when it says that labs can't run."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import psutil
import pytest

from helpers import environment

GB = 1_000_000_000


@pytest.fixture(autouse=True)
def keras(course, monkeypatch):
    """A Keras that is there at once, on a computer with much memory; with a miniature course."""
    keras = SimpleNamespace(
        __version__="3.15.1",
        backend=SimpleNamespace(backend=lambda: "tensorflow"),
        distribution=SimpleNamespace(list_devices=lambda: ["cpu:0"]),
    )
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(__version__="2.21.0"))
    monkeypatch.setattr(environment, "_cgroup_limit", lambda: None)
    set_memory(monkeypatch, 16, 8)
    return keras


def set_memory(monkeypatch, total, available):
    memory = SimpleNamespace(total=total * GB, available=available * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)


def lacks(monkeypatch, *names):
    """Make the packages `names` look as if they were not installed."""
    version = metadata.version

    def without(name):
        if name in names:
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", without)


def test_good_environment(capsys):
    assert environment.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Python      {platform.python_version()}"
    assert lines[1:4] == [
        "Keras       3.15.1",
        "Backend     tensorflow 2.21.0",
        "Device      CPU",
    ]
    assert lines[5] == "Memory      16.0 GB, 8.0 GB available"
    assert f"numpy {metadata.version('numpy')}" in "\n".join(lines)
    assert any(line.startswith("MNIST       offline default") for line in lines)
    assert lines[-1] == "Ready."
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 96


def test_long_names_widen_the_column():
    found = environment.Report()
    found.rows += [("Geomagnetic storms", "real"), ("MNIST", "real")]
    found.warnings.append("slow")
    assert str(found).splitlines() == [
        "Geomagnetic storms real",
        "MNIST              real",
        "Warning:           slow",
        "Ready.",
    ]


def test_report_prints_the_same(capsys):
    assert environment.report() is None
    printed = capsys.readouterr().out
    environment.main()
    assert printed == capsys.readouterr().out


@pytest.mark.parametrize(
    ("backend", "devices", "text"),
    [
        ("tensorflow", ["gpu:0", "gpu:1"], "GPU (gpu:0, gpu:1)"),
        ("jax", ["cpu:0"], "CPU"),
        ("torch", ["cuda:0"], "CUDA (cuda:0)"),
        ("torch", ["cpu"], "CPU"),
    ],
)
def test_device_of_each_backend(keras, monkeypatch, backend, devices, text):
    monkeypatch.setitem(sys.modules, backend, SimpleNamespace(__version__="9.9"))
    keras.backend.backend = lambda: backend
    if backend == "torch":
        del keras.distribution
        keras.ops = SimpleNamespace(zeros=lambda shape: SimpleNamespace(device=devices[0]))
    else:
        keras.distribution.list_devices = lambda: devices
    rows = dict(environment.collect().rows)
    assert rows["Backend"] == f"{backend} 9.9"
    assert rows["Device"] == text


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_cores_are_those_this_process_may_use():
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert dict(environment.collect().rows)["Cores"] == "1"
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("total", "available", "limit", "warning"),
    [
        (16, 8, None, None),
        (16, 8, 2 * GB, None),
        (16, 8, 1 << 62, None),
        (1.9, 1.8, None, "Only 1.9 GB of memory, and"),
        (16, 8, 1 * GB, "Only 1.0 GB of memory, and"),
        (16, 1.2, None, "Only 1.2 GB of memory are available"),
    ],
)
def test_memory(monkeypatch, total, available, limit, warning):
    set_memory(monkeypatch, total, available)
    monkeypatch.setattr(environment, "_cgroup_limit", lambda: limit)
    found = environment.collect()
    assert not found.problems
    warnings = [line for line in found.warnings if "memory" in line]  # others: of newer packages
    assert len(warnings) == (warning is not None)
    assert str(warnings).count(str(warning)) == (warning is not None)
    told = limit is not None and limit < total * GB
    assert ("limited to" in dict(found.rows)["Memory"]) == told


# The fixture above replaces this function in its module; here it is itself.
CGROUP_LIMIT = environment._cgroup_limit


@pytest.mark.parametrize(
    ("line", "files", "limit"),
    [
        ("0::/", {"memory.max": "2000000000"}, 2_000_000_000),
        ("0::/user/job", {"user/memory.max": "5000", "user/job/memory.max": "max"}, 5000),
        ("0::/user/job", {"user/memory.max": "5000", "user/job/memory.max": "4000"}, 4000),
        ("0::/", {"memory.max": "max"}, None),
        ("7:memory:/job", {"memory/job/memory.limit_in_bytes": "3000"}, 3000),
        ("3:cpuset:/", {"memory.max": "1"}, None),
        ("0::/gone", {}, None),
    ],
)
def test_cgroup_limit(tmp_path, line, files, limit):
    mount = tmp_path / "cgroup"
    for name, text in files.items():
        path = mount / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    tmp_path.joinpath("self").write_text(f"12:cpu:/\n{line}\n")
    assert CGROUP_LIMIT(tmp_path / "self", mount) == limit


def test_no_cgroups_on_this_system(tmp_path):
    assert CGROUP_LIMIT(tmp_path / "self", tmp_path) is None


def test_data_sources(course, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(course.shared))
    rows = dict(environment.collect().rows)
    assert rows["MNIST"] == f"real data from the data folder {course.shared / 'mnist'}"


# What keeps labs from running


@pytest.mark.parametrize(("first", "below"), [((9, 0), (9, 9)), ((2, 0), (3, 0))])
def test_wrong_python(monkeypatch, capsys, first, below):
    monkeypatch.setattr(environment, "PYTHON_FROM", first)
    monkeypatch.setattr(environment, "PYTHON_BELOW", below)
    assert environment.main() == 1
    lines = capsys.readouterr().out
    assert "Problem:    The course needs Python 3.11, 3.12 or 3.13." in lines
    assert lines.endswith("Not ready: solve the problem first.\n")


@pytest.mark.parametrize("names", [["scipy"], ["keras", "tqdm"], ["numpy"], ["pandas"], ["pooch"]])
def test_missing_package(monkeypatch, capsys, names):
    lacks(monkeypatch, *names)
    monkeypatch.delenv("COURSE_CACHE")
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)  # and importing it fails
    assert environment.main() == 1
    text = " ".join(capsys.readouterr().out.split())
    assert (
        f"Problem: Not installed: {', '.join(names)}. Install with: python -m pip install" in text
    )


def test_missing_psutil(monkeypatch):
    lacks(monkeypatch, "psutil")
    monkeypatch.setitem(sys.modules, "psutil", None)
    found = environment.collect()
    assert "psutil" in found.problems[0]
    assert "Memory" not in dict(found.rows)


def test_backend_that_does_not_load(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert environment.main() == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "Problem: Keras does not load with its backend (jax): " in text
    assert "set KERAS_BACKEND=tensorflow" in text


def test_data_folder_that_does_not_exist(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATA", "nowhere")
    assert environment.main() == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "Problem: COURSE_DATA names 'nowhere', which is not a folder" in text
    assert "COURSE_DATA=offline" in text


# Versions other than pinned


def test_other_version_is_a_warning(monkeypatch, tmp_path):
    pins = "# comment\n--editable .\nnumpy==0.1\nruff==0.0.1\n"
    tmp_path.joinpath("requirements.txt").write_text(pins)
    monkeypatch.setattr(environment, "COURSE", tmp_path)
    found = environment.collect()
    assert not found.problems
    (warning,) = found.warnings
    assert f"numpy {metadata.version('numpy')} (tested: 0.1)" in warning
    assert "ruff" not in warning  # labs do without


def test_without_requirements_there_is_nothing_to_compare(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "COURSE", tmp_path)
    assert not environment.collect().warnings


def test_every_needed_package_is_pinned():
    assert set(environment.NEEDED) <= set(environment._pins())


# The command


@pytest.mark.parametrize(
    ("setting", "status", "last"),
    [
        ({}, 0, "Ready."),
        ({"KERAS_BACKEND": "nonsense"}, 1, "Not ready: solve the problem first."),
    ],
)
def test_command(setting, status, last):
    """With the real Keras, in a process of its own; nothing of TensorFlow's notes gets through."""
    result = subprocess.run(
        [sys.executable, "-m", "helpers.environment"],
        env=os.environ | {"COURSE_DATA": "offline"} | setting,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == status
    assert result.stdout.splitlines()[-1] == last
    assert result.stderr == ""
