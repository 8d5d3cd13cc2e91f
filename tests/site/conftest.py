"""Tests of the built site, collected only where `make test-site` runs: they need a browser."""

import os

collect_ignore_glob = [] if os.environ.get("TESTS_SITE") else ["test_*.py"]
