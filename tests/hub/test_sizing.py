"""The page that sizes a class: its figures are those of the settings, and its examples add up."""

import math
import re

import pytest

from hub.sandbox import COURSE
from tests.hub.test_kubernetes import container, measured, peaks, server, values

PAGE = (COURSE / "hub" / "SIZING.md").read_text(encoding="utf-8")


def figure(name):
    """Return what the page's first table says of one student's `name`, in GB or in cores."""
    return float(re.search(rf"^\| {name} \| ([\d.]+)", PAGE, re.MULTILINE)[1])


def rows():
    """Return the numbers of each example."""
    lines = re.findall(r"^\| \d.+$", PAGE, re.MULTILINE)
    return [[float(n) for n in re.findall(r"[\d.]+", line)] for line in lines]


def test_the_figures_are_those_of_the_labs_and_the_settings():
    resources = container("cpu")["resources"]
    expected = {
        "kernel of the largest lab": peaks()[0] / 1e9,
        "kernel of the second largest": peaks()[1] / 1e9,
        "memory reserved": int(resources["requests"]["memory"]) / 1e9,
        "memory at most": int(resources["limits"]["memory"]) / 1e9,
        "cores reserved": resources["requests"]["cpu"],
    }
    assert {name: figure(name) for name in expected} == pytest.approx(expected, abs=0.005)
    capacity = values()["singleuser"]["storage"]["capacity"]
    assert figure("home") == pytest.approx(
        int(capacity.removesuffix("Gi")) * 2**30 / 1e9, abs=0.005
    )


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]:.0f}")
def test_an_example_adds_up(row):
    students, share, running, memory, cores, nodes, homes = row
    node = re.search(r"nodes that have (\d+) GB and ([\d.]+) cores to give, \*P\* = (\d+)", PAGE)
    servers = min(
        float(node[1]) // figure("memory reserved"), float(node[2]) // figure("cores reserved")
    )
    placeholders = values()["scheduling"]["userPlaceholder"]["replicas"]
    assert f"(*R* + {placeholders} placeholders)" in PAGE
    assert servers == float(node[3])
    assert running == students * share
    assert memory == pytest.approx(running * figure("memory reserved"), abs=0.5)
    assert cores == running * figure("cores reserved")
    assert nodes == math.ceil((running + placeholders) / servers)
    assert homes == pytest.approx(students * figure("home"), abs=0.5)


def test_there_is_an_example_of_a_small_and_of_a_large_class():
    assert [row[0] for row in rows()] == [30, 200]


def test_the_longest_wait_is_that_of_the_slowest_lab():
    seconds, lab = max((round(run.seconds), run.lab[:2]) for run in measured())
    resources = container("cpu")["resources"]
    slower = resources["limits"]["cpu"] / resources["requests"]["cpu"]
    said = re.search(r"(\d+) minutes\s+for\s+lab\s+(\d\d)\s+instead\s+of\s+(\d+)\s+s", PAGE)
    assert (float(said[1]), said[2], float(said[3])) == (round(seconds * slower / 60), lab, seconds)


def test_the_memory_hours_add_up():
    sentence = r"(\d+) students in a lesson of two hours take (\d+) · \(2 \+ 1\) · ([\d.]+) = (\d+)"
    lesson = re.search(sentence, PAGE)
    assert values()["cull"]["timeout"] == 3600
    assert lesson[1] == lesson[2]
    assert float(lesson[3]) == figure("memory reserved")
    assert float(lesson[4]) == pytest.approx(int(lesson[1]) * 3 * float(lesson[3]), abs=0.5)


def test_what_fits_into_binder_is_what_was_measured():
    page = (COURSE / "hub" / "README.md").read_text(encoding="utf-8")
    first, lab, most = re.search(
        r"guaranteed \(([\d.]+) GB\).+?\(lab (\d\d) takes most, ([\d.]+) GB\)", page
    ).groups()
    totals = {run.lab[:2]: (run.peak_bytes + server()) / 1e9 for run in measured()}
    assert float(first) == pytest.approx(totals["00"], abs=0.006)
    assert float(most) == pytest.approx(max(totals.values()), abs=0.006)
    assert totals[lab] == max(totals.values())
