"""Importing the helpers silences one misleading line of TensorFlow's, and no other."""

import logging

import pytest

import helpers  # noqa: F401


@pytest.mark.parametrize(
    ("line", "shown"),
    [("5 out of the last 5 calls triggered tf.function retracing.", False), ("Low memory.", True)],
)
def test_only_the_warning_of_retracing_is_dropped(line, shown):
    logger = logging.getLogger("tensorflow")
    assert bool(logger.filter(logging.makeLogRecord({"msg": line}))) == shown
