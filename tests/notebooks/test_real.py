"""Solutions run on real data, too, where these are at hand.

They are in a file of their own, since `make test` gives each file to one of two workers.
"""

import pytest

from authoring import build, kernel, source
from authoring.budget import used_real_data

# Labs that also run on real data, and the folder that must be there for it. 02 and 04 are left
# out for the sake of time: 01 and 03 read the same digits.
REAL = {
    "01": "mnist",
    "03": "mnist",
    "05": "hymenoptera",
    "06": "oxford_pets",
    "07": "har",
    "09": "symh",
    "10": "radar",
    "11": "mnist",
    "12": "symh",
}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", REAL)
def test_solution_runs_on_real_data(number, real_data):
    if not (real_data / REAL[number]).is_dir():
        pytest.skip(f"{real_data} has no folder {REAL[number]}")
    (path,) = build.sources(numbers=[number])
    notebook = source.read(path)
    kernel.run(notebook, path.parent, data=real_data)
    build.refuse_noise(notebook, path.name)
    assert used_real_data(notebook)
