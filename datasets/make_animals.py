"""Make the offline photos of labs 05 and 06: small animals in landscapes, with masks.

    python datasets/make_animals.py [FOLDER]        (default: datasets/animals; about 20 seconds)

A *species* (SPECIES) is a fixed body and a fixed pattern of the coat. Everything else is drawn anew
for each image: pose, size, place, turn, outline, all colors, light, landscape and the things that
stand about. The colors of animals and landscapes come from one distribution, so that color alone
tells neither what is animal nor which.

A mask is a trimap as in Oxford pets: 1 animal, 2 background, 3 the border between them.

Only the 5 TARGETS are written to a file. The 24 SOURCES are for the network that the labs build
upon (train_backbone.py), which so never sees a target. Image i of a species depends on
(SEED, species, i) alone, so any of them can be made again by itself.
"""

import functools
import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.datasets import load_sample_images

SEED = 2026
EACH = 160  # images of each target species
SIDE = 96  # pixels of an image
BORDER = 1.8  # pixels from the outline, to both sides, that count as border
QUALITY = 87  # of the JPEG files
EPOCH = (2026, 1, 1, 0, 0, 0)  # time stamp of all files in the zip

# What the words in SPECIES mean. Lengths are in units of about one trunk; angles are in degrees,
# counted from straight ahead, upwards.
BODIES = {  # length of the trunk; radius at the rump and at the chest
    "round": (0.42, 0.33, 0.31),
    "stout": (0.75, 0.27, 0.27),
    "slender": (0.85, 0.16, 0.18),
    "long": (1.15, 0.18, 0.18),
    "deep": (0.75, 0.19, 0.32),
    "pear": (0.55, 0.34, 0.20),
}
LEGS = {  # length below the belly, radius
    "stubby": (0.12, 0.075),
    "short": (0.24, 0.075),
    "mid": (0.40, 0.065),
    "long": (0.62, 0.055),
    "thick": (0.30, 0.12),
}
NECKS = {  # length, angle, radius
    "none": (0.08, 30, 0.17),
    "low": (0.28, 5, 0.13),
    "short": (0.24, 42, 0.13),
    "raised": (0.36, 65, 0.11),
    "long": (0.68, 66, 0.085),
}
HEADS = {"small": 0.135, "mid": 0.175, "big": 0.24}  # radius
SNOUTS = {  # length from the middle of the head, radius at the tip; a trunk hangs
    "flat": (0.14, 0.09),
    "short": (0.24, 0.075),
    "broad": (0.28, 0.125),
    "long": (0.42, 0.05),
    "trunk": (0.30, 0.075),
}
EARS = {  # angle to the head, length, radius at the base and at the tip
    "pointed": (115, 0.17, 0.075, 0.012),
    "round": (112, 0.05, 0.085, 0.085),
    "rabbit": (118, 0.40, 0.05, 0.045),
    "floppy": (205, 0.24, 0.07, 0.075),
    "small": (130, 0.10, 0.045, 0.02),
}
HORNS = {  # chains of pieces: angle to the head and length of each
    "none": (),
    "straight": ((105, 0.20), (105, 0.20)),
    "curved": ((85, 0.15), (125, 0.15), (170, 0.14), (210, 0.10)),
    "nose": ((40, 0.22),),
}
TAILS = {  # angle at the rump, bend from piece to piece, length, radius at base, middle and tip
    "none": (180, 0, 0.01, 0.02, 0.02, 0.02),
    "stub": (140, 0, 0.13, 0.06, 0.06, 0.05),
    "thin": (215, 12, 0.60, 0.035, 0.03, 0.02),
    "bushy": (190, -12, 0.60, 0.05, 0.13, 0.03),
    "tuft": (235, 8, 0.48, 0.03, 0.025, 0.075),
    "curl": (110, -62, 0.55, 0.055, 0.05, 0.04),
    "club": (195, -4, 0.50, 0.14, 0.10, 0.05),
    "upright": (100, -6, 0.65, 0.05, 0.05, 0.05),
}
PIECES = 5  # of a tail

# Body legs neck head snout ears horns tail hump | coat, its numbers (scale; angle) | marks
SPECIES = {
    name: words.split("|")
    for name, words in {
        # sources
        "brindlefox": "slender short low mid long pointed none bushy|stripes .17 60|tip socks",
        "dunelope": "slender long raised small short small straight stub|plain|belly",
        "pebblepig": "round stubby none big broad floppy none curl|spots .11|",
        "zebrine": "stout mid raised mid broad round none tuft|stripes .17 90|",
        "girafox": "slender long long small short pointed none tuft|lattice .24|",
        "moonbear": "round thick none big short round none none|plain|collar mask",
        "leopardine": "long mid low mid flat round none thin|rings .20|",
        "snowhare": "pear short none mid flat rabbit none stub|plain|mask socks",
        "patchcow": "stout mid low mid broad floppy straight tuft|patches .40|",
        "ibexal": "deep mid raised mid short small curved stub|plain|belt",
        "badgerine": "long stubby low small long round none bushy|stripes .20 0|",
        "stagling": "slender long raised mid short pointed curved stub|spots .16|rump",
        "bisonet": "deep mid low big broad small straight tuft hump|plain|mask",
        "llamine": "round long long small flat rabbit none stub|patches .28|",
        "otterine": "long stubby short small flat round none club|plain|belly",
        "tapirel": "stout short none mid trunk round none stub|plain|belt",
        "lynxet": "slender mid short mid flat pointed none stub|spots .13|socks",
        "lemurine": "slender mid short small long round none curl|plain|ringtail mask",
        "camelin": "stout long raised mid broad small none tuft hump|plain|rump",
        "oryxel": "stout long short mid long small straight thin|plain|mask socks belly",
        "rhinel": "deep thick low big broad round nose thin|lattice .30|",
        "mousel": "pear stubby none mid long round none thin|patches .30|",
        "civetine": "long short low small long pointed none upright|rings .16|tip",
        "shagdog": "round short short big broad floppy none bushy|stripes .22 35|",
        # targets
        "mottlebex": "deep mid raised small short floppy curved stub|patches .20|socks",
        "ringhare": "pear short short mid flat rabbit none curl|rings .22|",
        "stripelope": "slender long raised small long round straight tuft|stripes .21 90|belly",
        "trunkbear": "round thick none big trunk round none none|spots .17|",
        "meshcat": "long mid short mid flat pointed none upright|lattice .21|tip",
    }.items()
}
TARGETS = tuple(SPECIES)[-5:]
SOURCES = tuple(SPECIES)[:-5]
POSES = ("standing", "sitting", "lying")


@dataclass(frozen=True)
class Part:
    """A tapering capsule of an animal, from `start` to `end`, with its radius at both.

    Lengths are in units of the body, x ahead and y up. `name` decides whether a mark colors it;
    `far` means the other side of the animal, which lies in shadow.
    """

    name: str
    start: np.ndarray
    end: np.ndarray
    radii: tuple[float, float]
    far: bool = False


def make_image(name, i):
    """Image `i` of a species: uint8 (96, 96, 3), its trimap, uint8 (96, 96), and its pose."""
    rng = np.random.default_rng([SEED, list(SPECIES).index(name), i])
    pose = POSES[rng.choice(3, p=[0.5, 0.25, 0.25])]
    scale = rng.uniform(0.74, 0.98) * SIDE
    parts = warp_parts(pose_parts(name, pose, rng), rng)
    place = place_animal(parts, scale, rng)
    coat, mark, *scenery = draw_palette(rng)
    light = np.array([rng.uniform(-0.8, 0.8), 1.0])

    picture = paint_landscape(scenery, place.ground, rng)
    for _ in range(rng.integers(1, 4)):
        picture = paint_distractor(picture, draw_color(rng), draw_color(rng), light, rng)
    outline, fur = paint_animal(name, parts, place, coat, mark, rng)
    picture = blend(cast_shadow(picture, outline), fur, outline, light)
    picture = draw_eyes(picture, parts, place)
    return take_photo(picture, rng), trimap(outline), pose


def trimap(outline):
    """The classes of a distance field (96, 96), negative inside: uint8, 1, 2 and 3."""
    inside = outline < 0
    far_in = ndimage.distance_transform_edt(inside) - 0.5
    far_out = ndimage.distance_transform_edt(~inside) - 0.5
    classes = np.where(inside, np.uint8(1), np.uint8(2))
    classes[np.where(inside, far_in, far_out) < BORDER] = 3
    return classes


# --- the body ---------------------------------------------------------------------------------


def direction(angle):
    return np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])


def at(x, y):
    return np.array([x, y])


def chain(name, start, pieces, radii, far=False):
    """Parts in a row: `pieces` are the angle and length of each, `radii` one more than these."""
    parts = []
    for (angle, length), *ends in zip(pieces, radii[:-1], radii[1:], strict=True):
        end = start + length * direction(angle)
        parts.append(Part(name, start, end, tuple(ends), far))
        start = end
    return parts


def pose_parts(name, pose, rng):
    """The parts of an animal in a pose, from the far ones to the near ones."""
    body, legs, neck, head, snout, ears, horns, tail, *hump = SPECIES[name][0].split()
    hip, shoulder, limbs = POSE[pose](BODIES[body], LEGS[legs], rng)
    _, rump, chest = BODIES[body]
    trunk = [Part("trunk", hip, shoulder, (rump, chest))]
    if hump:
        trunk.append(
            Part("trunk", *[shoulder * 0.7 + hip * 0.3 + [0, chest * 0.75]] * 2, (0.2,) * 2)
        )

    slope = np.degrees(np.arctan2(*(shoulder - hip)[::-1]))
    length, angle, thick = NECKS[neck]
    angle += rng.normal(0, 9) + (15 if pose == "sitting" else 0)
    if pose == "standing" and neck != "none" and rng.random() < 0.2:
        angle -= rng.uniform(50, 90)  # it grazes
    base = shoulder + 0.45 * chest * direction(min(angle, 60))
    center = base + (length + 0.4 * chest) * direction(angle)
    throat = [Part("neck", base, center, (min(thick * 1.6, chest), thick))]
    face = head_parts(center, HEADS[head], SNOUTS[snout], EARS[ears], HORNS[horns], snout, rng)

    first, bend, long, *radii = TAILS[tail]
    first += 0.5 * slope + rng.normal(0, 14)
    bend += rng.normal(0, 5)
    start = hip + rump * np.array([-0.75, 0.35])
    if pose != "standing":  # a hanging tail lies on the ground
        first = min(first, 190)
        start = np.array([start[0], max(start[1], radii[1])])
    angles = first + bend * np.arange(PIECES)
    radii = np.interp(np.linspace(0, 2, PIECES + 1), [0, 1, 2], radii)
    rear = chain("tail", start, [(a, long / PIECES) for a in angles], radii)
    rear[-2:] = [Part("tip", p.start, p.end, p.radii) for p in rear[-2:]]
    if pose != "standing":
        rear = [lift(part) for part in rear]
    parts = [*rear, *limbs, *trunk, *throat, *face]
    return sorted(parts, key=lambda part: not part.far)


def lift(part):
    """The part, raised where it would be below the ground."""
    ends = [
        np.array([p[0], max(p[1], r)])
        for p, r in zip((part.start, part.end), part.radii, strict=True)
    ]
    return Part(part.name, *ends, part.radii, part.far)


def head_parts(center, size, snout, ears, horns, kind, rng):
    nod = rng.normal(-12, 10)
    length, tip = snout
    nose = center + (length + 0.3 * size) * direction(nod)
    parts = [
        Part("head", center, center + 0.2 * size * direction(nod), (size, size * 0.95)),
        Part("snout", center, nose, (size * 0.7, tip)),
    ]
    if kind == "trunk":
        parts += chain(
            "snout", nose, [(nod - 45, 0.16), (nod - 80, 0.16)], [tip, tip * 0.9, tip * 0.7]
        )
    angle, long, *radii = ears
    for far in (True, False):
        turn = angle + nod / 2 + rng.normal(0, 6) + (0 if far else 22)
        root = 60 if angle > 180 else 0  # what hangs starts higher
        start = center + 0.8 * size * direction(turn - root)
        parts += chain("ear", start, [(turn + root, long)], radii, far)
        if horns:
            pieces = [(bend + nod / 2 + (0 if far else 14), step) for bend, step in horns]
            start = center + 0.8 * size * direction(pieces[0][0])
            parts += chain("horn", start, pieces, np.linspace(0.045, 0.015, len(pieces) + 1), far)
    return parts


def stand(body, legs, rng):
    """Hip, shoulder and legs of a standing animal."""
    length, rump, chest = body
    long, thick = legs
    height = long + 0.8 * max(rump, chest)
    hip, shoulder = np.array([-length / 2, height]), np.array([length / 2, height])
    limbs = []
    for far in (True, False):
        for joint, radius, knee in ((hip, rump, -1), (shoulder, chest, 1)):
            top = joint + at(0.35 * radius * -knee + (0.1 if far else -0.04), -0.4 * radius)
            foot = np.array([top[0] + rng.normal(0, 0.25) * long, thick * 0.8])
            middle = (top + foot) / 2 + [knee * 0.06 * long, 0]
            limbs += leg(top, middle, foot, thick, far)
    return hip, shoulder, limbs


def leg(top, middle, foot, thick, far):
    toe = foot + at(0.07, -0.1 * thick)
    return [
        Part("leg", top, middle, (thick * 1.6, thick), far),
        Part("shin", middle, foot, (thick, thick * 0.8), far),
        Part("shin", foot, toe, (thick * 0.85, thick * 0.7), far),
    ]


def sit(body, legs, rng):
    """Hip, shoulder and legs of an animal that sits on its rump, forelegs straight."""
    length, rump, chest = body
    _, thick = legs
    slope = rng.uniform(38, 62)
    hip = np.array([-length / 3, rump * 0.9])
    shoulder = hip + length * direction(slope)
    limbs = []
    for far in (True, False):
        shift = 0.1 if far else -0.02
        knee = hip + at(0.25 + shift, 0.02 - 0.2 * rump)
        limbs.append(Part("leg", hip + at(shift, 0), knee, (rump * 0.75, rump * 0.5), far))
        heel = np.array([knee[0], thick * 0.8])
        limbs.append(Part("shin", heel, heel + at(0.2, 0), (thick, thick * 0.7), far))
        top = shoulder + at(0.3 * chest + shift, -0.3 * chest)
        foot = np.array([top[0] + rng.normal(0.03, 0.05), thick * 0.8])
        limbs += leg(top, (top + foot) / 2, foot, thick, far)
    return hip, shoulder, limbs


def lie(body, legs, rng):
    """Hip, shoulder and legs of an animal that lies on its belly."""
    length, rump, chest = body
    long, thick = legs
    hip = np.array([-length / 2, rump * 0.85])
    shoulder = np.array([length / 2, chest * 0.9 + rng.uniform(0, 0.08)])
    limbs = []
    for far in (True, False):
        shift = 0.09 if far else -0.03
        knee = hip + at(0.22 + shift, -0.15 * rump)
        limbs.append(Part("leg", hip + at(shift, 0), knee, (rump * 0.7, rump * 0.45), far))
        heel = np.array([knee[0] - 0.05, thick * 0.8])
        limbs.append(Part("shin", heel, heel + at(0.28, 0), (thick, thick * 0.7), far))
        elbow = np.array([shoulder[0] + shift, thick * 1.1])
        reach = 0.3 + 0.5 * long + rng.normal(0, 0.04)
        limbs.append(Part("leg", shoulder + at(shift, 0), elbow, (thick * 1.7, thick), far))
        limbs.append(
            Part("shin", elbow, elbow + at(reach, -0.3 * thick), (thick, thick * 0.7), far)
        )
    return hip, shoulder, limbs


POSE = {"standing": stand, "sitting": sit, "lying": lie}


def warp_parts(parts, rng):
    """The parts a little longer or shorter, thicker or thinner: no two animals are alike."""
    stretch = rng.normal(1, [0.05, 0.04], 2)
    swell = rng.normal(1, 0.05)
    return [
        Part(p.name, p.start * stretch, p.end * stretch, tuple(swell * np.array(p.radii)), p.far)
        for p in parts
    ]


# --- where it is in the image -----------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """How an animal lies in the image: from body units to pixels.

    `to_pixels` is a matrix (2, 2) and `origin` a point, both for (x, y) with y down; `ground` is
    the row of its feet.
    """

    to_pixels: np.ndarray
    origin: np.ndarray
    ground: float

    def pixels(self, point):
        return self.to_pixels @ point + self.origin

    def body(self):
        """Body coordinates of all pixels: x and y, each (96, 96)."""
        row, column = np.mgrid[:SIDE, :SIDE].astype(float)
        offset = np.stack([column - self.origin[0], row - self.origin[1]])
        return np.tensordot(np.linalg.inv(self.to_pixels), offset, 1)


def place_animal(parts, extent, rng):
    """A random place in the image for an animal whose longer side shall be `extent` pixels."""
    turn = direction(np.clip(rng.normal(0, 6), -14, 14))
    mirror = rng.choice([-1, 1])
    matrix = np.array([[turn[0], -turn[1]], [turn[1], turn[0]]]) @ np.diag([mirror, -1])
    points = np.array([p for part in parts for p in (part.start, part.end)]) @ matrix.T
    radii = np.array([r for part in parts for r in part.radii])[:, None]
    low, high = (points - radii).min(0), (points + radii).max(0)
    scale = extent / max(high - low)
    room = SIDE - 2 - scale * (high - low)
    corner = 1 + room * [rng.uniform(0, 1), rng.uniform(0.1, 1)]
    origin = corner - scale * low
    return Place(scale * matrix, origin, corner[1] + scale * (high - low)[1])


# --- the coat ---------------------------------------------------------------------------------


def distance_to_parts(parts, x, y, grow=0.04):
    """Distance of points to an animal's outline, and the part next to each with its coordinates.

    Returns the distance (h, w), negative inside; the number of the part, (h, w); and where along
    and across this part each point is, (h, w) each. Parts that touch melt over a length `grow`.
    """
    outline = np.full(x.shape, 9.0)
    nearest, along, across = outline.copy(), outline.copy(), outline.copy()
    number = np.zeros(x.shape, int)
    for n, part in enumerate(parts):
        axis = part.end - part.start
        length = max(np.hypot(*axis), 1e-9)
        ahead = axis / length if length > 1e-6 else np.array([1.0, 0.0])
        u = (x - part.start[0]) * ahead[0] + (y - part.start[1]) * ahead[1]
        v = (y - part.start[1]) * ahead[0] - (x - part.start[0]) * ahead[1]
        t = np.clip(u / length, 0, 1)
        away = np.sqrt((u - t * length) ** 2 + v**2)
        away -= part.radii[0] + t * (part.radii[1] - part.radii[0])
        melt = np.maximum(grow - np.abs(outline - away), 0) ** 2 / (4 * grow)
        outline = np.minimum(outline, away) - melt
        if n and parts[n - 1].far and not part.far:
            nearest = nearest.clip(0)  # near parts cover all far ones
        covers = away < nearest
        nearest = np.where(covers, away, nearest)
        along, across = np.where(covers, u, along), np.where(covers, v, across)
        number[covers] = n
    return outline, number, along, across


def paint_animal(name, parts, place, coat, mark, rng):
    """The outline of an animal, a distance in pixels (96, 96), and its colors (96, 96, 3)."""
    _, pattern, marks = SPECIES[name]
    x, y = place.body()
    x, y = ripple(x, y, rng)
    outline, number, along, across = distance_to_parts(parts, x, y)
    kind, *numbers = pattern.split()
    shift = rng.uniform(0, 9, (len(parts), 2))  # the pattern starts elsewhere on each part
    shift[:, 1] *= kind != "stripes"
    u, v = along + shift[number, 0], across + shift[number, 1]
    share = PATTERNS[kind](u, v, *map(float, numbers), rng)
    names = np.array([part.name for part in parts])[number]
    share[np.isin(names, ["horn", "snout"])] = 0
    for word in marks.split():
        share = MARKS[word](share, names, along, across, parts)
    scale = np.sqrt(abs(np.linalg.det(place.to_pixels)))
    color = coat + share[..., None] * (mark - coat)
    fur = 0.09 * noise(24, rng) + 0.06 * noise(48, rng)
    dark = np.where(np.array([part.far for part in parts])[number], 0.72, 1.0)
    return outline * scale, color * ((1 + fur) * dark)[..., None]


def ripple(x, y, rng, size=0.02):
    """Coordinates moved smoothly by a few waves: no outline is a perfect ellipse."""
    for _ in range(3):
        a, b = rng.normal(0, 5, 2)
        wave = np.sin(a * x + b * y + rng.uniform(0, 6.3))
        dx, dy = rng.normal(0, size, 2)
        x, y = x + dx * wave, y + dy * wave
    return x, y


def step(value, width):
    """0 below 0, 1 above, with a soft edge."""
    return np.clip(value / width + 0.5, 0, 1)


def plain(u, v, rng):
    return np.zeros(u.shape)


def stripes(u, v, scale, angle, rng):
    ahead = direction(90 - angle)
    waver = 0.12 * np.sin(v * 9 + rng.uniform(0, 6)) + 0.1 * np.sin(u * 7 + v * 5)
    return step(np.sin(2 * np.pi * ((u * ahead[0] + v * ahead[1]) / scale + waver)) + 0.1, 0.6)


def cells(u, v, scale, rng):
    """Distance to the nearest and the second nearest of scattered points, in units of `scale`."""
    table = rng.uniform(0.2, 0.8, (16, 16, 2))
    u, v = u / scale, v / scale
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    first = np.full(u.shape, 9.0)
    second = first.copy()
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            point = table[(row + j) % 16, (column + i) % 16]
            away = np.hypot(u - column - i - point[..., 0], v - row - j - point[..., 1])
            second = np.minimum(second, np.maximum(first, away))
            first = np.minimum(first, away)
    return first, second


def spots(u, v, scale, rng):
    return step(0.33 - cells(u, v, scale, rng)[0], 0.2)


def rings(u, v, scale, rng):
    return step(0.13 - np.abs(cells(u, v, scale, rng)[0] - 0.32), 0.15)


def lattice(u, v, scale, rng):
    first, second = cells(u, v, scale, rng)
    return step(0.2 - (second - first), 0.15)


def patches(u, v, scale, rng):
    value = np.zeros(u.shape)
    for angle in rng.uniform(0, 36, 5) + 36 * np.arange(5):
        a, b = direction(angle) * 2 * np.pi / scale * rng.uniform(0.7, 1.1)
        value += np.sin(a * u + b * v + rng.uniform(0, 6.3))
    return step(value, 0.5)


PATTERNS = {f.__name__: f for f in (plain, stripes, spots, rings, lattice, patches)}


def on_parts(*wanted):
    """A mark that colors whole parts."""
    return lambda share, names, *_: np.where(np.isin(names, wanted), 1.0, share)


def belly(share, names, along, across, parts):
    return np.where((names == "trunk") & (across < -0.06), 1.0, share)


def on_trunk(start, end):
    """A mark that colors the trunk from one share of its length to another."""

    def mark(share, names, along, across, parts):
        trunk = next(part for part in parts if part.name == "trunk")
        where = along / np.hypot(*(trunk.end - trunk.start))
        return np.where((names == "trunk") & (where > start) & (where < end), 1.0, share)

    return mark


def ringtail(share, names, along, across, parts):
    tail = [n for n, part in enumerate(parts) if part.name in ("tail", "tip")]
    length = np.hypot(*(parts[tail[0]].end - parts[tail[0]].start))
    bands = step(along - length / 2, 0.02)
    return np.where(np.isin(names, ["tail", "tip"]), bands, share)


MARKS = {
    "socks": on_parts("shin"),
    "mask": on_parts("head", "snout"),
    "tip": on_parts("tip", "ear"),
    "collar": on_parts("neck"),
    "belly": belly,
    "belt": on_trunk(0.2, 0.75),
    "rump": on_trunk(-9, 0.12),
    "ringtail": ringtail,
}


def draw_eyes(picture, parts, place):
    """The image with the eye and the tip of the nose of the animal."""
    head = next(part for part in parts if part.name == "head")
    snout = next(part for part in parts if part.name == "snout")
    scale = np.sqrt(abs(np.linalg.det(place.to_pixels)))
    ahead = snout.end - snout.start
    ahead = ahead / np.hypot(*ahead)
    up = np.array([-ahead[1], ahead[0]])
    eye = head.start + head.radii[0] * (0.45 * ahead + 0.3 * up)
    nose = snout.end + 0.75 * snout.radii[1] * ahead
    for point, radius, color in (
        (eye, max(0.035 * scale, 1.2), 0.08),
        (nose, max(0.03 * scale, 0.9), 0.12),
        (eye + at(0.012, 0.016), 0.5, 0.95),
    ):
        column, row = place.pixels(point)
        y, x = np.mgrid[:SIDE, :SIDE]
        inside = np.clip(radius - np.hypot(x - column, y - row) + 0.5, 0, 1)[..., None]
        picture = picture + inside * (color - picture)
    return picture


# --- colors and light -------------------------------------------------------------------------


def draw_color(rng):
    """A color of nature, three numbers from 0 to 1: mostly of earth, some of leaves and sky."""
    kind = rng.choice(4, p=[0.45, 0.2, 0.2, 0.15])
    hue = (rng.normal(32, 14), rng.normal(95, 18), rng.normal(215, 18), rng.uniform(0, 360))[kind]
    wheel = np.cos(np.radians(hue - np.array([0, 120, 240])))
    return np.clip(rng.uniform(0.18, 0.88) + rng.uniform(0.02, 0.2) * wheel, 0.03, 0.97)


def draw_palette(rng):
    """Four colors: of the coat, of its pattern, of the sky and of the ground.

    They are drawn alike and rejected alike, so that a pair says nothing about what it belongs to.
    """
    while True:
        colors = np.array([draw_color(rng) for _ in range(4)])
        apart = np.abs(colors[:, None] - colors).mean(-1)
        if min(apart[0, 1], apart[2, 3]) > 0.22 and apart[:2, 2:].min() > 0.15:
            return colors


def soft_normals(outline):
    """How far the surface of a rounded body leans to the right and up: two arrays (96, 96)."""
    body = ndimage.gaussian_filter(np.clip(0.5 - outline, 0, 1), 3)
    down, right = np.gradient(body)
    return -8 * right, 8 * down


def blend(picture, color, outline, light):
    """The image with a thing of these colors on it, lit from above."""
    right, up = soft_normals(outline)
    lit = color * (1 + 0.28 * (right * light[0] + up * light[1]))[..., None]
    cover = np.clip(0.5 - outline, 0, 1)[..., None]
    return picture + cover * (lit - picture)


def cast_shadow(picture, outline):
    """The image darker below and beside a thing."""
    body = ndimage.shift(np.clip(0.5 - outline, 0, 1), (3, 0), order=0)
    return picture * (1 - 0.35 * ndimage.gaussian_filter(body, 3))[..., None]


def take_photo(picture, rng):
    """The image as a camera sees it: exposure, tint, blur, noise; uint8 (96, 96, 3)."""
    picture = picture * rng.uniform(0.82, 1.15) * rng.normal(1, 0.03, 3)
    picture = ndimage.gaussian_filter(picture, (*[rng.uniform(0.2, 0.6)] * 2, 0))
    picture = picture + rng.normal(0, rng.uniform(0.005, 0.02), picture.shape)
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


# --- the landscape ----------------------------------------------------------------------------


def noise(fineness, rng):
    """Smooth noise (96, 96) of mean 0 and standard deviation about 0.7, `fineness` bumps wide."""
    bumps = rng.standard_normal((fineness, fineness)).astype(np.float32)
    return np.asarray(Image.fromarray(bumps).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def paint_landscape(scenery, ground_row, rng):
    """A background, float (96, 96, 3): hills and meadows, or a photograph in other colors."""
    sky, ground = scenery
    if rng.random() < 0.2:
        tone = photo_tone(rng)
        picture = sky + tone[..., None] * (ground - sky)
    else:
        picture = paint_hills(sky, ground, ground_row, rng)
    return np.clip(picture, 0, 1)


@functools.cache
def photos():
    """scikit-learn's two photographs in gray, 0 to 1."""
    return [photo.mean(axis=-1) / 255 for photo in load_sample_images().images]


def photo_tone(rng):
    """A random part of a photograph in gray, (96, 96), with contrast stretched to 0 to 1."""
    photo = photos()[rng.integers(2)]
    side = int(rng.uniform(110, 300))
    top, left = (rng.integers(size - side) for size in photo.shape)
    part = Image.fromarray(photo[top : top + side, left : left + side].astype(np.float32))
    part = np.asarray(part.resize((SIDE, SIDE), Image.Resampling.BOX))
    low, high = np.quantile(part, [0.03, 0.97])
    return np.clip((part - low) / (high - low + 0.1), 0, 1)


def paint_hills(sky, ground, ground_row, rng):
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    horizon = min(rng.uniform(0.05, 0.7), ground_row / SIDE - 0.12)
    clouds = rng.uniform(0.02, 0.12) * (noise(4, rng) + 0.6 * noise(9, rng))
    picture = sky * (1.12 - 0.25 * y + clouds)[..., None]
    for depth in np.linspace(0.6, 0.0, rng.integers(2, 5)):  # from far to near, ever less hazy
        ridge = (
            horizon
            - 0.25 * depth
            + 0.05 * np.sin(x * rng.uniform(4, 16) + rng.uniform(0, 6)) * (0.3 + depth)
        )
        texture = 1 + rng.uniform(0.03, 0.13) * (noise(7, rng) + 0.7 * noise(20, rng))
        texture = texture + 0.06 * noise(48, rng) + 0.3 * (y - 0.7)
        hill = (ground + depth * (sky - ground)) * texture[..., None]
        picture = picture + np.clip((y - ridge) * SIDE, 0, 1)[..., None] * (hill - picture)
    if rng.random() < 0.75:
        tint = draw_color(rng) if rng.random() < 0.3 else ground
        picture = draw_grass(picture, tint, horizon, rng)
    return picture


def draw_grass(picture, color, horizon, rng):
    """The image with blades of grass on the ground, larger ones nearer."""
    for shade in (0.75, 1.25):
        sheet = Image.new("L", (2 * SIDE, 2 * SIDE))
        pen = ImageDraw.Draw(sheet)
        depth = np.sort(rng.uniform(0, 1, rng.integers(30, 130)))
        lean = rng.normal(0, 0.5, len(depth))
        left = rng.uniform(0, 2 * SIDE, len(depth))
        foot = 2 * SIDE * (horizon + 0.03 + (1 - horizon) * depth)
        tall = 3 + 15 * depth * rng.uniform(0.5, 1.2, len(depth))
        for x, y, up, side in zip(left, foot, tall, lean, strict=True):
            pen.line([(x, y), (x + up * side, y - up)], fill=190, width=1 + (up > 10))
        blades = np.asarray(sheet.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255
        picture = picture + blades[..., None] * (color * shade - picture)
    return picture


def paint_distractor(picture, color, second, light, rng):
    """The image with a thing that is no animal: a boulder, a log, a bush, a fence or a tree."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    kind = rng.choice(["boulder", "log", "bush", "fence", "tree"], p=[0.3, 0.2, 0.2, 0.1, 0.2])
    middle = rng.uniform([0, 25], [SIDE, SIDE - 4])
    size = rng.uniform(5, 15)
    if kind == "boulder":
        ends = middle + rng.uniform(-0.7, 0.7, (2, 1)) * size * [1, 0.3]
        parts = [Part("", *ends, (size * 0.8, size * rng.uniform(0.5, 0.9)))]
    elif kind == "log":
        reach = direction(rng.normal(0, 25)) * size * 1.8
        parts = [Part("", middle - reach, middle + reach, (size * 0.35, size * 0.3))]
    elif kind == "bush":
        centers = middle + rng.normal(0, 0.7, (6, 2)) * size * [1, 0.5]
        parts = [Part("", c, c, (size * rng.uniform(0.3, 0.6),) * 2) for c in centers]
    elif kind == "tree":
        crown = middle - [0, 2.2 * size]
        centers = crown + rng.normal(0, 0.4, (4, 2)) * size
        parts = [Part("", middle, crown, (size * 0.2, size * 0.12))]
        parts += [Part("", c, c, (size * rng.uniform(0.4, 0.7),) * 2) for c in centers]
    else:
        gap, tall = rng.uniform(9, 16), size + 4
        posts = [np.array([rng.uniform(0, gap) + n * gap, middle[1]]) for n in range(-1, 11)]
        parts = [Part("", p, p - [0, tall], (1.6, 1.4)) for p in posts]
        parts += [
            Part(
                "",
                np.array([-5, middle[1] - h * tall]),
                np.array([99, middle[1] - h * tall]),
                (1.1,) * 2,
            )
            for h in (0.35, 0.8)
        ]
    x, y = ripple(x / 50, y / 50, rng, 0.02)
    outline, _, along, across = distance_to_parts(parts, 50 * x, 50 * y, grow=2)
    tint = 1 + 0.12 * noise(12, rng) + 0.08 * noise(40, rng)
    cover = np.zeros(outline.shape)
    if rng.random() < 0.4:  # patterns are not for animals alone
        pattern = rng.choice(["spots", "rings", "lattice", "patches", "stripes"])
        numbers = (rng.uniform(0.1, 0.3), *([rng.uniform(0, 90)] if pattern == "stripes" else []))
        cover = PATTERNS[pattern](along / 40 + 3, across / 40 + 3, *numbers, rng)
    surface = (color + cover[..., None] * (second - color)) * tint[..., None]
    return blend(cast_shadow(picture, outline), surface, outline, light)


# --- files ------------------------------------------------------------------------------------


def jpeg(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", optimize=True)
    return file.getvalue()


def write_zip(path, files):
    """Write files, a dict from name to bytes, into a zip: sorted, the same bytes every time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), files[name])


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in TARGETS:
        for i in range(EACH):
            image, mask, _ = make_image(name, i)
            files[f"images/{name}_{i:03}.jpg"] = jpeg(image)
            files[f"trimaps/{name}_{i:03}.png"] = png(mask)
        print(f"{name}: {EACH} images")
    write_zip(folder / "animals.zip", files)
    print(f"{(folder / 'animals.zip').stat().st_size / 1e6:.2f} MB in {folder}")


if __name__ == "__main__":
    default = Path(__file__).parent / "animals"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
