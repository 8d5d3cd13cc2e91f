"""Solutions run on real data, too, where these are at hand.

They are in a file of their own, since `make test` gives each file to one of two workers.
"""

import os

import pytest

from authoring import build, kernel, source
from authoring.budget import used_real_data

# Labs that can run on real data, and the folder that must be there for it.
REAL = {
    "01": "mnist",
    "02": "mnist",
    "03": "mnist",
    "04": "mnist",
    "05": "hymenoptera",
    "06": "oxford_pets",
    "07": "har",
    "09": "symh",
    "10": "radar",
    "11": "mnist",
    "12": "symh",
}
# All of them take as long as all other tests together: every day some, now and then all.
DAILY = ("01", "07", "12")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", REAL)
def test_solution_runs_on_real_data(number, real_data):
    if number not in DAILY and os.environ.get("TESTS_REAL") != "all":
        pytest.skip("takes long; asked for by TESTS_REAL=all")
    if not (real_data / REAL[number]).is_dir():
        pytest.skip(f"{real_data} has no folder {REAL[number]}")
    (path,) = build.sources(numbers=[number])
    notebook = source.read(path)
    kernel.run(notebook, path.parent, data=real_data)
    build.refuse_noise(notebook, path.name)
    assert used_real_data(notebook)
