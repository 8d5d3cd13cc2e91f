"""What solutions/README.md says of several GPUs, on one processor that passes for four.

Here, among the solutions, since `make test BACKEND=jax LAB=...` runs it with them.
"""

import os
import re
import subprocess
import sys

import pytest

from authoring.kernel import ROOT

PAGE = (ROOT / "solutions" / "README.md").read_text(encoding="utf-8")

TRAINING = """
import numpy as np

def train():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(256, 8)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, y, batch_size=32, epochs=3, verbose=0)
    return model, model.predict(x, batch_size=32, verbose=0)

model, alone = train()
assert len(model.weights[0].value.devices()) == 1
"""

COMPARED = """
model, together = train()
assert len(model.weights[0].value.devices()) == 4
np.testing.assert_allclose(together, alone, atol=1e-5)
print("the same on", len(devices))
"""


def test_runs_on_four_devices():
    pytest.importorskip("jax")
    (told,) = re.findall(r"```python\nimport keras\n(.+?)```", PAGE, re.DOTALL)
    (line,) = re.findall(r"```sh\n(.+) python training.py\n```", PAGE)
    variables = dict(word.split("=", 1) for word in line.split())
    done = subprocess.run(
        [sys.executable, "-c", "import keras\n" + TRAINING + told + COMPARED],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the same on 4\n"
