"""The hub's tests need what `make test-hub` installs; without it they aren't even collected."""

import os

collect_ignore_glob = [] if os.environ.get("TESTS_HUB") else ["test_*.py"]
