"""Every test begins with the settings of a new user, offline, whatever the shell says."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # `authoring` is not installed; only `helpers` is

# Taken out before any test imports a module that might look at it; `real_data` hands it on. The
# workers of xdist, whose environment is this one, find it under the other name.
REAL_DATA = os.environ.setdefault("TESTS_REAL_DATA", os.environ.pop("COURSE_DATA", ""))
os.environ.pop("COURSE_DOWNLOAD", None)
# No test leaves a trace in the home of whoever runs it.
os.environ["COURSE_PROGRESS"] = "off"


@pytest.fixture
def real_data():
    """The folder of real data that COURSE_DATA named when the tests began; without one, skip."""
    if REAL_DATA in ("", "offline"):
        pytest.skip("COURSE_DATA names no folder of real data")
    folder = Path(REAL_DATA).resolve()
    assert folder.is_dir(), f"COURSE_DATA={REAL_DATA}: there is no such folder"
    return folder
