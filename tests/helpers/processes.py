"""Code that runs in Python processes of its own."""

import os
import subprocess
import sys
from pathlib import Path


def comes_with_data(module: str) -> bool:
    """Tell whether a process that imports `helpers.data`, and no more, imports `module` with it."""
    script = f"import sys; from helpers import data; print('{module}' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return {"True\n": True, "False\n": False}[result.stdout]


def two_at_once(code: str, datasets: Path, *arguments: str) -> list[str]:
    """Run code in two processes that may download; return what they print.

    It finds `data` imported, its registry in `datasets`, and `arguments` from `sys.argv[2]` on.
    """
    script = (
        "import sys, pathlib\n"
        "from helpers.data import registry\n"
        "registry.DATASETS = pathlib.Path(sys.argv[1])\n"
        "from helpers import data\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script + code, str(datasets), *arguments],
            env=os.environ | {"COURSE_DOWNLOAD": "yes"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    printed = []
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), err
        printed.append(out)
    return printed
