"""What importing the helpers changes in TensorFlow: one misleading line, and a wait for nothing."""

import logging
import subprocess
import sys

import pytest

import helpers  # noqa: F401


@pytest.mark.parametrize(
    ("line", "shown"),
    [("5 out of the last 5 calls triggered tf.function retracing.", False), ("Low memory.", True)],
)
def test_only_the_warning_of_retracing_is_dropped(line, shown):
    logger = logging.getLogger("tensorflow")
    assert bool(logger.filter(logging.makeLogRecord({"msg": line}))) == shown


@pytest.mark.parametrize("imports", ["tensorflow as tf, helpers", "helpers, tensorflow as tf"])
def test_reading_data_is_not_tuned_whatever_was_imported_first(imports):
    code = f"import {imports}; print(tf.data.Options().autotune.enabled)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_whoever_wants_tuning_gets_it():
    tf = pytest.importorskip("tensorflow")
    options = tf.data.Options()
    options.autotune.enabled = True
    assert options.autotune.enabled


def test_importing_the_helpers_does_not_import_tensorflow():
    code = "import sys, helpers; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
