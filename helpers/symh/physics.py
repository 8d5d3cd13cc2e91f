"""The physics of the ring current: what drives SYM-H, and two models of how it answers.

All times are steps of five minutes. Wind measured at L1 takes `DISTANCE / speed` to arrive.
"""

from dataclasses import dataclass

import numpy as np

DISTANCE = 1.5e6  # km from the spacecraft at L1 to the Earth
STEP = 1 / 12  # hours


def vbs(speed, bz):
    """Return the dawn-to-dusk electric field of the southward field, VBs, in mV/m.

    speed: solar wind speed in km/s; bz: north-south part of the field (GSM) in nT; of one shape.
    A northward field (bz > 0) drives nothing: VBs is 0.
    """
    return 1e-3 * np.asarray(speed) * np.maximum(-np.asarray(bz), 0)


def pressure(density, speed):
    """Return the dynamic pressure of the solar wind in nPa.

    density: protons in cm^-3; speed in km/s; of one shape. P = 2e-6 N V^2 counts the helium that
    comes with the protons (about 4 %).
    """
    return 2e-6 * np.asarray(density) * np.asarray(speed) ** 2


@dataclass(frozen=True)
class RingCurrent:
    """dD/dt = Q - D / tau and SYM-H = D + b sqrt(P) - c, with Q = a (VBs - threshold) above it.

    a is in nT/h per mV/m, threshold in mV/m, b in nT / sqrt(nPa), c in nT. tau is in hours:
    constant where `tau_scale` is None, else tau * exp(tau_scale / (4.69 + VBs)).
    """

    a: float
    threshold: float
    tau: float
    b: float
    c: float
    tau_scale: float | None = None

    def decay_time(self, vbs):
        """Return tau in hours for VBs in mV/m, of its shape."""
        vbs = np.asarray(vbs, float)
        if self.tau_scale is None:
            return np.full_like(vbs, self.tau)
        return self.tau * np.exp(self.tau_scale / (4.69 + vbs))

    def injection(self, vbs):
        """Return Q in nT/h for VBs in mV/m, of its shape."""
        return self.a * np.maximum(np.asarray(vbs) - self.threshold, 0)

    def forecast(self, sym_h, vbs, root_pressure, delay, steps):
        """Return SYM-H `steps` steps ahead of each time, (n,), from what is known by then.

        sym_h (n,) in nT, vbs (n,) in mV/m and root_pressure (n,) in sqrt(nPa), both as measured
        at L1, without gaps; delay (n,): steps that the wind of each time needs to arrive. The wind
        that is on its way drives the model; after that its last measurement stays.
        """
        now = np.arange(len(sym_h))
        measured = now - np.rint(delay).astype(int)  # what arrives now was measured then
        d = sym_h - self.b * root_pressure[np.clip(measured, 0, None)] + self.c
        for step in range(steps):
            arriving = vbs[np.clip(measured + step, 0, now)]
            tau = self.decay_time(arriving)
            # Exact for a driver that is constant during the step.
            d = self.injection(arriving) * tau + (d - self.injection(arriving) * tau) * np.exp(
                -STEP / tau
            )
        return d + self.b * root_pressure[np.clip(measured + steps, 0, now)] - self.c


BURTON = RingCurrent(a=-5.4, threshold=0.5, tau=7.7, b=16, c=20)
OBRIEN = RingCurrent(a=-4.4, threshold=0.49, tau=2.40, b=7.26, c=11, tau_scale=9.74)
REFIT = RingCurrent(a=-6.10, threshold=1.25, tau=2.04, b=12.5, c=18.5, tau_scale=9.74)
