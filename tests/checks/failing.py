"""What the tests of several labs' checks share."""

import pytest

from helpers.checks.core import CheckFailed, NotAttempted


def fails(test, *arguments, match, kind=CheckFailed):
    """Require a failure with a phrase of its message, and one that the check itself foresaw."""
    with pytest.raises(kind, match=match) as raised:
        test(*arguments)
    assert kind is NotAttempted or not isinstance(raised.value, NotAttempted)
    assert "could not be examined" not in str(raised.value)
