"""The physics of the ring current, against numbers by hand and the published formulas."""

import numpy as np
import pytest

from helpers.symh import physics
from helpers.symh.physics import BURTON, OBRIEN, REFIT, RingCurrent

STEADY = RingCurrent(a=-4, threshold=1, tau=6, b=10, c=15)


def test_what_the_wind_drives_with():
    assert physics.vbs([400, 500, 500], [-10, 8, 0]).tolist() == [4, 0, 0]
    assert physics.pressure([5, 0], [400, 700]) == pytest.approx([1.6, 0])


def test_burton_as_published_in_other_units():
    """Burton et al. (1975) give -1.5e-3 nT/s per mV/m, 3.6e-5 /s and 0.20 nT/sqrt(eV/cm^3)."""
    field = np.array([0, 0.5, 1.5, 10])
    assert BURTON.injection(field) == pytest.approx(-1.5e-3 * 3600 * np.array([0, 0, 1, 9.5]))
    assert BURTON.decay_time(field) == pytest.approx(np.full(4, 1 / 3.6e-5 / 3600), rel=0.01)
    assert BURTON.b == pytest.approx(0.20 / np.sqrt(1.602e-4), rel=0.02)  # nPa in an eV/cm^3
    assert BURTON.c == 20


@pytest.mark.parametrize(
    ("model", "a", "threshold", "tau", "b", "c"),
    [(OBRIEN, -4.4, 0.49, 2.40, 7.26, 11), (REFIT, -6.10, 1.25, 2.04, 12.5, 18.5)],
)
def test_obrien_and_mcpherron_as_published_and_refitted(model, a, threshold, tau, b, c):
    field = np.array([0.0, threshold, 3, 12])
    published = np.where(field > threshold, a * (field - threshold), 0)
    assert model.injection(field) == pytest.approx(published)
    assert model.decay_time(field) == pytest.approx(tau * np.exp(9.74 / (4.69 + field)))
    assert (model.b, model.c) == (b, c)


@pytest.mark.parametrize("model", [STEADY, BURTON, OBRIEN])
@pytest.mark.parametrize("field", [0.0, 6.0])  # without a driver it only decays
@pytest.mark.parametrize("steps", [0, 1, 24])
def test_a_constant_driver_has_the_analytic_solution(model, field, steps):
    n, root = 20, 1.5
    sym_h = np.linspace(-80, 10, n)
    made = model.forecast(sym_h, np.full(n, field), np.full(n, root), np.full(n, 9.4), steps)
    tau, gain = model.decay_time(field), model.injection(field)
    d = sym_h - model.b * root + model.c
    d = gain * tau + (d - gain * tau) * np.exp(-steps / 12 / tau)
    assert made == pytest.approx(d + model.b * root - model.c)
    assert steps > 0 or made == pytest.approx(sym_h)


@pytest.mark.parametrize(
    ("delay", "driven", "pressed"),
    [
        (0, [40], [40]),  # nothing is on its way: the last measurement stays
        (5, [35, 36, 37, 38, 39, 40], [35, 40]),
        (12, [*range(28, 40)], [28, 40]),
        (30, [*range(10, 22)], [10, 22]),  # what comes after the horizon doesn't matter
        (50, [0, 1], [0, 2]),  # before the first row is what was measured there
        (60, [0], [0]),
    ],
)
def test_a_forecast_takes_the_wind_that_is_on_its_way_and_nothing_later(delay, driven, pressed):
    """The rows of VBs and of the pressure are named that the forecast from row 40 depends on."""
    n = 60
    sym_h, calm = np.full(n, -50.0), np.full(n, 2.0)

    def forecast(field, root):
        return STEADY.forecast(sym_h, field, root, np.full(n, float(delay)), 12)[40]

    changed = np.where(np.eye(n, dtype=bool), 5, calm)  # a row in each
    reference = forecast(calm, calm)
    assert [k for k in range(n) if forecast(changed[k], calm) != reference] == driven
    assert [k for k in range(n) if forecast(calm, changed[k]) != reference] == pressed
