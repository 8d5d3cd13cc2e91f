"""The test that tells whether a feature, or a forecast, looks into the future."""

import numpy as np


def looks_ahead(function, storm, row, seed=0):
    """Return whether any result up to `row` changes when all that is measured after it does.

    function gets the table of a storm, n rows, and returns an array or a table with n rows;
    storm: such a table, which stays as it is; row: a whole number, 0 <= row < n - 1. What is
    measured, the wind and SYM-H, is replaced after `row` by random numbers, gaps too. Results count
    as equal within 1e-5 of their size, NaN as equal to NaN. ValueError for another row.
    """
    if not 0 <= row < len(storm) - 1:
        raise ValueError(
            f"row is {row}, but needs rows before and after it: 0 to {len(storm) - 2}."
        )
    rng = np.random.default_rng(seed)
    other = storm.copy()
    for name in storm.columns.difference(["storm", "split", "time"]):
        values = other[name].to_numpy(float, copy=True)
        known = values[np.isfinite(values)]
        low, high = (known.min(), known.max() + 1) if known.size else (0.0, 1.0)
        values[row + 1 :] = rng.uniform(low, high, len(values) - row - 1)
        other[name] = values
    before, after = (np.asarray(function(table))[: row + 1] for table in (storm, other))
    return not np.allclose(before, after, rtol=1e-5, atol=1e-5, equal_nan=True)
