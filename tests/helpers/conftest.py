"""Fixtures for the tests of the data layer: a course and a server in miniature."""

import pytest

from helpers.data import registry
from tests.helpers.miniature import Course, Handler
from tests.helpers.servers import serving


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A miniature course, without settings but for a cache folder that doesn't exist yet."""
    course = Course(tmp_path)
    monkeypatch.setattr(registry, "DATASETS", course.datasets)
    for name in ("COURSE_DATA", "COURSE_DOWNLOAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(course.cache))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("CI", "true")
    return course


@pytest.fixture
def server(course):
    """A server on this machine that has the miniature's real files."""
    with serving(Handler) as server:
        server.files = course.real
        yield server
