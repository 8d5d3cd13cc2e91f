"""How the hub's tests wait: for what is to come, never for a number of seconds."""

import time


def wait(condition, what, seconds=90):
    """Return what `condition` gives as soon as it is true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, f"{what} took more than {seconds} s"
        time.sleep(0.5)
    return result
