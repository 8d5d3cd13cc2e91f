"""Recordings of imagined people: what a phone at the waist would tell of six activities.

A body moves along three axes and turns about them. In walking all six motions are sums of harmonics
of the stride, which is two steps: what each step repeats makes the even harmonics, what only every
other step repeats (left, right) the odd ones. At rest a body sways, and now and then it stirs. The
phone sees this from the angle at which it is worn: it measures the acceleration together with
gravity, and the rate of rotation.

Axes of the body: x up, y to the left, z backward. Angles are in radians.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RATE = 50  # samples a second
STEPS = 128  # samples of a window
HOP = STEPS // 2  # from one window to the next
BOUTS = 2  # of each activity, for each person
WINDOWS = (10, 16)  # of a bout, the upper end excluded
HARMONICS = np.arange(1, 17)[:, None]  # of the stride, thus up to 15 Hz
# For each motion (along x, y, z, about x, y, z): whether both legs do the same, step by step.
SYMMETRIC = np.array([True, False, True, False, True, False])
GRAVITY = 9.81  # m/s2
LEVER = 0.5  # m, from the waist down to what it turns about at rest
RANGE = 2  # of the accelerometer, in g: what is stronger is cut off
NOISE = np.repeat([0.005, 0.012], 3)  # of the sensor: g, rad/s


@dataclass(frozen=True)
class Walk:
    """How most people walk on a certain ground.

    `tempo` is the step frequency in units of the person's own; `strength` the root mean square of
    the six motions, accelerations in g and then rates of rotation in rad/s. The harmonics of
    order n are n ** -fading of the first: they last when feet land hard. `lean` is the mean angle
    about y, forward if positive, and `rough` the share of motion that no step repeats.
    """

    tempo: float
    strength: tuple[float, ...]
    fading: float
    lean: float
    rough: float


@dataclass(frozen=True)
class Rest:
    """How most people hold still: the mean `posture`, angles about x, y and z.

    `sway` is the standard deviation of the angles about it, `moves` how often they stir (1/s).
    """

    posture: tuple[float, float, float]
    sway: float
    moves: float


ACTIVITIES = (  # in the order of helpers.data.activity.NAMES
    Walk(1.00, (0.21, 0.14, 0.11, 0.42, 0.40, 0.30), 1.2, 0.00, 0.25),
    Walk(0.90, (0.24, 0.13, 0.14, 0.40, 0.46, 0.32), 1.5, 0.10, 0.30),
    Walk(1.02, (0.32, 0.15, 0.13, 0.46, 0.45, 0.36), 1.0, 0.00, 0.35),
    Rest((0.0, -0.18, 0.16), 0.005, 0.03),
    Rest((0.0, 0.00, 0.00), 0.010, 0.12),
    Rest((0.0, -1.50, 0.00), 0.004, 0.02),
)


@dataclass(frozen=True)
class Person:
    """What makes a person's recordings their own; each array has one entry for each activity.

    `tempo` is the step frequency in Hz. `gain` and `shift` (6, 16, 6) multiply the harmonics of
    the six motions and shift their phases; `unlike` is how much the legs differ, from 0 to 1.
    `posture` (6, 3) is added to the angles, `sway` (6,) multiplies them, `phone` (3, 3) turns from
    the body's axes to the phone's.
    """

    tempo: float
    gain: np.ndarray
    shift: np.ndarray
    unlike: float
    posture: np.ndarray
    sway: np.ndarray
    phone: np.ndarray


def recordings(people: int = 30, seed: int = 2016) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return windows x (n, 128, 6) float32, activities y (n,) uint8 from 0 and people (n,) uint8.

    Units, channels and order are those of `helpers.data.activity.Activity`. The same seed gives the
    same windows, and the first people stay the same whatever their number.
    """
    x, y, person = [], [], []
    common = _common_phases(np.random.default_rng(seed))
    for number in range(1, people + 1):
        random = np.random.default_rng([seed, number])
        someone = _person(random)
        for _ in range(BOUTS):
            for activity in range(len(ACTIVITIES)):
                windows = _windows(_bout(random, someone, activity, common[activity]))
                x.append(windows)
                y.append(np.full(len(windows), activity, np.uint8))
                person.append(np.full(len(windows), number, np.uint8))
    return np.concatenate(x), np.concatenate(y), np.concatenate(person)


def _common_phases(random: np.random.Generator) -> np.ndarray:
    """Return the phases (6, 16, 6) of the harmonics by which activities differ, whoever walks."""
    walking = random.uniform(-np.pi, np.pi, (len(HARMONICS), 6))
    walking[:, 0] = 0  # all harmonics push up at once, when a foot lands
    spread = [0.25, 0.8, 0.8, 0.8, 0.8, 0.8]  # on stairs, too, a landing foot pushes up
    return walking + random.normal(0, spread, (len(ACTIVITIES), len(HARMONICS), 6))


def _person(random: np.random.Generator) -> Person:
    activities, harmonics = len(ACTIVITIES), len(HARMONICS)

    def varied(own: float, each: float, *shape: int) -> np.ndarray:
        """A habit that shows in all activities, and how far each departs from it."""
        return random.normal(0, own, shape) + random.normal(0, each, (activities, *shape))

    strength = varied(0.12, 0.08, 1, 6)
    return Person(
        tempo=random.uniform(1.65, 2.15),
        gain=np.exp(strength + varied(0.25, 0.12, harmonics, 6)),
        shift=varied(0.45, 0.25, harmonics, 6),
        unlike=random.uniform(0.1, 0.4),
        posture=varied(0.05, 0.04, 3) * (6, 1, 1),
        sway=np.exp(varied(0.35, 0.25)),
        phone=_rotation(random.normal(0, (0.3, 0.06, 0.06))),
    )


def _bout(
    random: np.random.Generator, person: Person, activity: int, phases: np.ndarray
) -> np.ndarray:
    """Return what the phone records of one activity, (samples, 6)."""
    kind = ACTIVITIES[activity]
    samples = (random.integers(*WINDOWS) + 1) * HOP
    # Nobody does the same twice in quite the same way.
    posture = person.posture[activity] + random.normal(0, 0.03, 3)
    if isinstance(kind, Walk):
        posture[1] += kind.lean
        motion, angles = _walk(random, person, activity, phases, samples)
    else:
        posture += kind.posture
        motion, angles = _rest(random, kind, person.sway[activity], samples)
    up = _rotation(posture)[0]  # seen from the body, before it turns by the small angles
    motion[:, :3] += up - np.cross(angles, up)
    seen = motion.reshape(samples, 2, 3) @ person.phone.T
    seen = seen.reshape(samples, 6) + random.normal(0, NOISE, (samples, 6))
    seen[:, :3] = seen[:, :3].clip(-RANGE, RANGE)
    return seen


def _walk(
    random: np.random.Generator, person: Person, activity: int, phases: np.ndarray, samples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the six motions (samples, 6), without gravity, and the angles (samples, 3)."""
    walk = ACTIVITIES[activity]
    amplitude = ((HARMONICS + 1) // 2) ** -walk.fading
    amplitude = amplitude * np.where((HARMONICS % 2 == 0) == SYMMETRIC, 1, person.unlike)
    amplitude *= walk.strength / np.sqrt((amplitude**2).sum(0) / 2)
    amplitude *= person.gain[activity]
    shift = phases + person.shift[activity] + random.normal(0, 0.1, phases.shape)

    stride = person.tempo / 2 * walk.tempo * np.exp(random.normal(0, 0.02))  # Hz
    stride = stride * np.exp(0.03 * _slow(random, samples, 2))
    phase = 2 * np.pi * np.cumsum(stride) / RATE + random.uniform(0, 2 * np.pi)
    terms = HARMONICS[:, 0] * phase[:, None]  # (samples, harmonics)
    loudness = np.exp(random.normal(0, 0.05) + 0.15 * _slow(random, samples, 0.7, 6))
    motion = loudness * (
        np.cos(terms) @ (amplitude * np.cos(shift)) - np.sin(terms) @ (amplitude * np.sin(shift))
    )
    motion += walk.rough * np.array(walk.strength) * _slow(random, samples, 0.05, 6)
    # The angles are the integral of the rates; tempo and loudness change too slowly to matter.
    swing = amplitude / (2 * np.pi * stride.mean() * HARMONICS)
    angles = loudness * (
        np.sin(terms) @ (swing * np.cos(shift)) + np.cos(terms) @ (swing * np.sin(shift))
    )
    return motion, angles[:, 3:]


def _rest(
    random: np.random.Generator, rest: Rest, sway: float, samples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the six motions (samples, 6), without gravity, and the angles (samples, 3)."""
    angles = rest.sway * sway * np.exp(random.normal(0, 0.3)) * _slow(random, samples, 1.5, 3)
    seconds = np.arange(samples)[:, None] / RATE
    for _ in range(random.poisson(rest.moves * samples / RATE)):
        when, width = random.uniform(0, samples / RATE), random.uniform(0.2, 0.6)
        angles += random.normal(0, 0.06, 3) * np.exp(-(((seconds - when) / width) ** 2))
    rates = np.gradient(angles, 1 / RATE, axis=0)
    pull = np.cross(np.gradient(rates, 1 / RATE, axis=0), (LEVER / GRAVITY, 0, 0))
    return np.concatenate([pull, rates], axis=1), angles


def _slow(random: np.random.Generator, samples: int, seconds: float, *shape: int) -> np.ndarray:
    """Return noise (samples, *shape) of deviation 1 that changes within about `seconds`."""
    window = np.hanning(round(2 * seconds * RATE))
    noise = random.normal(size=(samples + len(window) - 1, *shape))
    noise = sliding_window_view(noise, len(window), axis=0) @ window
    return noise / np.linalg.norm(window)


def _rotation(angles: np.ndarray) -> np.ndarray:
    """Return the matrix (3, 3) that turns about x, then about y, then about z."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _windows(signal: np.ndarray) -> np.ndarray:
    """Return the windows (n, 128, 6) of a recording (samples, 6), each half over the next."""
    windows = sliding_window_view(signal.astype(np.float32), STEPS, axis=0)[::HOP]
    return windows.transpose(0, 2, 1)
