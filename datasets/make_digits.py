"""Make the offline default for MNIST: handwritten-looking digits in the format of MNIST.

    python datasets/make_digits.py [FOLDER]        (default: datasets/digits; about a minute)

Each digit is drawn in black on white at four times its final size, from one of three sources
(SOURCES): skeletons of pen strokes with jittered control points, scikit-learn's 1,797 handwritten
digits of 8 x 8 pixels, and the fonts that ship with matplotlib. All take the same last steps, those
of MNIST (LeCun et al. 1998): shrink so that the longest side is 20 pixels, gray levels from the
averaging, center of mass in the middle of 28 x 28.

Image i of a split depends on (SEED, split, i) alone, so any of them can be made again by itself.
No image of MNIST goes into them; datasets/cards/mnist.md says how the real ones guided the recipe.
"""

import functools
import gzip
import struct
import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from scipy import interpolate, ndimage
from sklearn.datasets import load_digits

SEED = 2026
SIZES = {"train": 30_000, "t10k": 2_000}  # images per split, a multiple of 10
SOURCES = {"strokes": 0.7, "scanned": 0.25, "fonts": 0.05}  # share of each source

SIDE = 28  # pixels of an image
BOX = 20  # longest side of the digit in it
FINE = 4  # drawing resolution: black-and-white dots per pixel side, hence 17 gray levels
TEST_SCANS = 300  # last scikit-learn digits, kept for the test split

# Ranges from which each image draws its own value; they decide how well a network trained on these
# digits reads real ones (measure_digits.py --part dev).
JITTER = (0.03, 0.09)  # movement of a skeleton's points, standard deviation, heights of the digit
STRETCH = (0.5, 1.25)  # width of a skeleton against its height
RADIUS = (0.6, 1.6)  # of the pen, in pixels
WIDEN = (0.85, 1.55)  # width of a scan or font; NARROW times that for a scanned 1, which fills
NARROW = 0.55  # whole cells of 8 x 8 and would become a block
SCAN_LEVELS = (0.1, 0.35)  # gray level from which a dot is ink: the lower, the thicker
FONT_LEVELS = (0.25, 0.5)

# Skeletons of each digit, one a line: `weight: strokes`. A stroke is a row of points `x,y` (percent
# of a box, y down) joined by a cubic spline; `|` parts strokes. A corner is where one ends and the
# next begins.
SKELETONS = {
    0: """
        3: 55,0 15,20 2,55 20,92 50,100 85,85 100,50 85,12 52,1
        2: 70,8 40,2 10,30 5,70 35,100 75,85 95,50 85,15 50,0
        2: 45,5 15,30 5,65 30,98 70,90 95,55 90,20 60,2 30,12
        1: 80,12 50,0 12,25 2,60 30,100 80,90 100,45 80,10 45,10 40,25
        1: 50,0 0,50 10,95 50,100 100,50 90,8 50,0 25,20
    """,
    1: """
        7: 50,0 50,50 50,100
        2: 47,0 53,35 50,70 46,100
        2: 30,20 52,0 | 52,0 51,50 50,100
        1: 22,24 40,13 52,0 | 52,0 51,50 50,100 | 22,100 50,100 80,99
    """,
    2: """
        3: 5,25 25,3 60,0 85,20 75,50 40,80 5,100 | 5,100 50,98 100,97
        3: 8,20 35,0 70,6 80,35 55,70 20,95 3,90 12,75 35,80 65,95 100,95
        2: 10,12 45,0 80,15 75,45 45,75 10,97 | 10,97 40,88 70,95 100,90
        1: 5,5 50,2 90,5 | 90,5 50,50 5,97 | 5,97 50,98 100,97
        2: 15,30 30,5 65,2 80,25 65,55 35,85 12,98 2,85 20,76 50,88 80,98 100,85
        3: 30,12 60,0 85,12 75,45 45,80 20,98 2,95 5,78 30,72 60,80 100,90
        3: 25,15 55,0 80,15 65,50 30,85 | 30,85 5,98 0,85 15,75 | 15,75 50,85 110,78
        3: 20,20 45,0 70,12 60,45 30,78 5,92 0,78 20,70 50,82 90,90 130,80
        2: 15,10 50,0 80,8 65,40 30,75 5,95 | 5,95 50,92 110,100
        2: 20,20 50,2 75,20 60,55 20,92 | 20,92 60,90 120,85
        1: 20,8 50,0 65,20 50,60 30,95 | 30,95 50,98 75,96
    """,
    3: """
        3: 10,12 40,0 80,10 80,35 40,48 | 40,48 80,53 98,75 75,97 35,100 3,88
        2: 8,5 50,3 92,2 | 92,2 65,22 40,42 | 40,42 80,46 100,72 75,96 35,100 3,90
        2: 12,10 50,0 82,15 72,38 42,47 38,52 50,52 85,60 90,85 50,100 5,92
        2: 15,15 45,0 80,12 75,35 45,50 35,45 50,43 88,60 88,85 50,100 10,90
        1: 20,5 60,2 80,20 60,40 30,45 | 30,45 75,50 85,75 55,95 0,100
        2: 5,8 45,0 70,12 55,35 35,45 | 35,45 65,50 72,72 50,92 25,100
        1: 5,20 35,2 75,8 70,35 40,48 | 40,48 80,50 90,80 55,100 15,95 10,75 30,70
    """,
    4: """
        3: 15,3 8,30 5,55 | 5,55 50,53 100,50 | 78,0 74,50 70,100
        2: 20,5 8,35 15,55 45,57 80,48 | 85,0 80,50 75,100
        2: 72,0 40,30 3,65 | 3,65 50,64 100,63 | 72,0 70,50 68,100
        2: 15,0 10,25 20,48 50,50 75,38 | 85,2 75,38 | 75,38 68,70 62,100
        1: 40,0 22,30 2,58 | 2,58 50,57 100,55 | 68,25 65,60 60,100
        1: 62,2 35,20 10,50 | 10,50 50,52 80,42 | 85,5 78,50 70,100
        1: 5,10 5,40 20,50 60,48 95,42 | 70,5 65,50 55,100
        1: 20,0 5,50 | 5,50 40,52 75,50 | 75,0 75,50 76,100
    """,
    5: """
        3: 20,3 15,25 12,45 | 12,45 45,35 85,50 88,80 50,100 5,93 | 20,3 55,2 95,0
        2: 95,3 60,3 30,6 | 30,6 22,25 20,42 | 20,42 55,42 82,62 70,90 35,100 3,93
        2: 95,0 60,3 35,12 25,30 45,45 70,62 68,85 38,100 3,92
        2: 35,10 28,28 25,42 | 25,42 50,45 72,60 68,85 35,100 2,95 | 38,10 65,6 100,0
        1: 90,2 50,2 22,5 | 22,5 20,25 20,40 | 20,40 60,38 95,58 85,88 45,100 5,85
        2: 15,8 12,25 15,42 | 15,42 50,38 80,55 78,82 45,100 10,95 5,80 | 15,8 50,6 110,0
        1: 60,12 45,15 35,35 50,50 60,70 45,95 15,100 0,90 | 60,12 85,8 100,10
    """,
    6: """
        3: 70,0 35,20 8,55 12,88 45,100 82,88 85,65 55,53 20,68 12,80
        2: 50,0 20,30 5,65 20,95 55,98 82,80 70,58 40,58 12,78
        2: 85,3 45,10 10,45 8,80 40,100 85,90 95,65 65,48 30,55 10,72
        2: 25,0 12,35 8,75 35,99 75,92 85,72 60,60 30,70 18,85
        1: 60,0 30,30 12,65 20,92 45,98 62,82 50,66 30,75 28,92
        3: 65,0 40,25 15,60 5,85 30,98 75,90 95,70 75,58 40,68 15,85
        2: 35,0 20,35 10,70 15,92 45,97 75,82 65,65 40,68 20,85
        1: 60,0 30,30 10,65 20,95 60,100 90,80 75,60 45,62 35,80
    """,
    7: """
        3: 3,8 50,6 95,3 | 95,3 70,50 45,100
        2: 5,10 45,6 90,4 90,15 60,55 45,100
        2: 8,25 10,5 | 10,5 50,7 95,3 | 95,3 68,50 50,100
        1: 3,5 50,6 95,3 | 95,3 65,50 40,100 | 35,52 60,50 92,48
        1: 0,20 25,5 60,12 95,5 | 95,5 65,45 50,100
        1: 3,6 50,4 85,3 | 85,3 82,50 75,100
        2: 0,30 8,10 20,12 60,18 90,6 | 90,6 72,50 50,100
        1: 10,35 12,5 | 12,5 50,8 85,0 | 85,0 70,50 60,100
        1: 0,12 40,5 80,5 100,20 80,50 60,100
    """,
    8: """
        3: 80,10 45,0 15,20 40,45 80,70 70,95 35,100 12,80 35,55 75,30 80,10
        2: 50,45 20,30 25,5 60,0 82,18 50,45 15,70 25,97 65,98 85,75 50,45
        2: 90,8 50,2 25,20 45,45 68,70 50,97 20,95 18,75 50,50 85,25 95,0
        1: 50,0 20,12 25,38 55,46 82,30 75,6 50,0 | 55,46 15,62 12,90 50,100 88,88 85,60 55,46
        1: 70,5 40,5 30,22 50,42 70,65 62,93 35,98 25,78 48,50 78,25 70,5
        2: 85,5 50,12 35,30 50,50 60,75 40,98 15,90 25,68 55,45 85,20 85,5
        2: 95,15 65,0 30,10 30,35 55,52 65,75 45,100 15,92 20,70 55,50 90,25
        1: 15,10 30,35 65,60 70,90 40,100 20,85 40,58 80,30 70,5 35,0 15,10
    """,
    9: """
        3: 85,12 50,0 12,18 15,42 50,50 82,25 | 85,12 83,50 78,100
        2: 80,15 45,2 12,25 25,50 60,42 82,15 80,45 70,75 55,100
        2: 82,15 50,0 12,20 20,45 55,45 85,12 88,45 80,80 50,100 15,90
        2: 75,8 35,2 5,25 30,45 70,30 | 80,5 70,30 | 70,30 60,65 48,100
        1: 70,20 50,3 28,12 30,35 52,36 70,18 70,50 62,100
        2: 60,5 25,5 5,25 20,42 50,35 75,8 | 75,8 65,50 50,100
        2: 85,10 45,2 5,20 10,40 45,38 85,10 75,40 55,75 35,100
        1: 65,15 40,0 12,15 20,38 50,35 65,15 68,50 65,100
    """,
}


def make_split(split):
    """All images of a split, uint8 (n, 28, 28), and their labels, uint8 (n,)."""
    labels = make_labels(split)
    images = np.stack([make_image(split, i, label) for i, label in enumerate(labels)])
    return images, labels


def make_labels(split):
    """The labels of a split, uint8 (n,): each digit equally often, in random order."""
    every = np.repeat(np.arange(10, dtype=np.uint8), SIZES[split] // 10)
    return np.random.default_rng([SEED, _number(split)]).permutation(every)


def make_image(split, i, label):
    """Image `i` of a split, uint8 (28, 28): a digit `label`, white on black."""
    rng = np.random.default_rng([SEED, _number(split), i])
    source = rng.choice(list(SOURCES), p=list(SOURCES.values()))
    if source == "strokes":
        ink = draw_strokes(label, rng)
    elif source == "scanned":
        low, high = np.multiply(WIDEN, NARROW if label == 1 else 1)
        ink = bend_picture(pick(scans(split)[label], rng), rng, (low, high), SCAN_LEVELS)
    else:
        ink = bend_picture(pick(glyphs()[label], rng), rng, WIDEN, FONT_LEVELS)
    return center(shrink(ink))


def pick(pictures, rng):
    return pictures[rng.integers(len(pictures))]


def draw_strokes(digit, rng):
    """A digit as a pen would write it, from one of its skeletons: bool (h, w), fine dots."""
    weights, variants = skeletons()[digit]
    strokes = variants[rng.choice(len(weights), p=weights)]
    corners = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    # Points that strokes share move together, so joined strokes stay joined.
    points, where = np.unique(np.concatenate(strokes), axis=0, return_inverse=True)
    points = points + rng.normal(0, rng.uniform(*JITTER), points.shape)
    curves = [smooth(stroke) for stroke in np.split(points[where.ravel()], corners)]
    path = np.concatenate(curves) - 0.5
    path = path * [rng.uniform(*STRETCH), 1]
    path = wave(path, rng) @ hand(rng, 0.25, 0.25)

    radius = rng.uniform(*RADIUS) * FINE
    path -= path.min(axis=0)
    path *= (BOX * FINE - 2 * radius) / path.max()
    margin = int(radius) + 2
    dots = np.rint(path).astype(int) + margin
    paper = np.ones(dots.max(axis=0)[::-1] + margin + 1, bool)
    paper[dots[:, 1], dots[:, 0]] = False
    return ndimage.distance_transform_edt(paper) <= radius


@functools.cache
def skeletons():
    """SKELETONS as numbers: per digit the shares of its variants and, for each, its strokes."""
    parsed = []
    for text in SKELETONS.values():
        weights, variants = zip(
            *(line.split(":") for line in text.strip().splitlines()), strict=True
        )
        shares = np.array(weights, float) / sum(map(float, weights))
        parsed.append((shares, [[parse(s) for s in variant.split("|")] for variant in variants]))
    return parsed


def parse(text):
    return np.array([pair.split(",") for pair in text.split()], float) / 100


def smooth(points):
    """A smooth curve through points (n, 2): an array (m, 2) dense enough to draw."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1) + 1e-6
    along = np.concatenate([[0], np.cumsum(steps)])
    spline = interpolate.make_interp_spline(along, points, k=min(3, len(points) - 1))
    return spline(np.linspace(0, along[-1], int(120 * along[-1]) + 2))


def bend_picture(picture, rng, widths, levels):
    """A variant of a gray picture (60, 60), ink 1 on 0: bool (120, 120)."""
    y, x = np.mgrid[-0.75:0.75:120j, -0.75:0.75:120j]
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    # From the variant's dots back to the picture's: every step the other way round.
    grid = wave(grid @ np.linalg.inv(hand(rng, 0, 0.2)), rng) / [rng.uniform(*widths), 1]
    column, row = ((grid + 0.5) * (len(picture) - 1)).T
    ink = ndimage.map_coordinates(picture, [row, column], order=1, mode="constant")
    return ink.reshape(x.shape) > rng.uniform(*levels)


def hand(rng, slant, spread):
    """The turn and slant of one writer, a matrix (2, 2) for row vectors (x, y).

    `slant` and `spread` are the mean and standard deviation of the slant to the right.
    """
    turn, slant = rng.normal(0, 0.1), rng.normal(slant, spread)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return rotation @ np.array([[1, 0], [-slant, 1]])


def wave(points, rng, size=0.03):
    """Points (n, 2) moved smoothly, by two random waves each about `size` of a height high."""
    for _ in range(2):
        direction = rng.normal(0, 4, (2, 2))
        phase = rng.uniform(0, 2 * np.pi, 2)
        points = points + rng.normal(0, size, 2) * np.sin(points @ direction + phase)
    return points


@functools.cache
def scans(split):
    """scikit-learn's handwritten digits for a split: per label, gray pictures (n, 60, 60)."""
    digits = load_digits()
    part = slice(None, -TEST_SCANS) if split == "train" else slice(-TEST_SCANS, None)
    padded = np.pad(digits.images[part] / 16, [(0, 0), (1, 1), (1, 1)])
    large = ndimage.zoom(padded, (1, 6, 6), order=3, grid_mode=True, mode="grid-constant")
    # Less of the surroundings: the holes of 0, 6, 8 and 9 stay open.
    large -= 0.6 * ndimage.gaussian_filter(large, (0, 8, 8))
    return [large[digits.target[part] == label] for label in range(10)]


@functools.cache
def glyphs():
    """The digits of matplotlib's fonts: per label, pictures (n, 60, 60)."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = ["DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuSansMono"]
    names += ["DejaVuSerif", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic"]
    names += ["STIXGeneralBol", "cmr10", "cmss10", "cmtt10", "cmb10"]
    fonts = [FontProperties(fname=folder / f"{name}.ttf") for name in names]
    return [np.stack([fill(TextPath((0, 0), str(d), prop=f)) for f in fonts]) for d in range(10)]


def fill(outline, side=60):
    """The inside of a closed outline as a float picture (side, side), a margin around it."""
    box = outline.get_extents()
    x = np.linspace(-0.65, 0.65, side)
    x, y = np.meshgrid(x, -x)
    grid = np.stack([x.ravel(), y.ravel()], axis=1) * max(box.size) + (box.min + box.max) / 2
    inside = np.zeros(len(grid), bool)
    for polygon in outline.to_polygons():
        inside ^= Outline(polygon).contains_points(grid)
    return ndimage.gaussian_filter(inside.reshape(side, side).astype(float), 1.5)


def shrink(ink):
    """Gray levels of a drawing: float (h, w) in 0-1, longest side 20 pixels."""
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = max(ink.shape) / (BOX * FINE)
    shape = [max(FINE, round(n / scale / FINE) * FINE) for n in ink.shape]
    for axis, (new, old) in enumerate(zip(shape, ink.shape, strict=True)):
        starts = np.arange(new) * old // new
        ink = np.logical_or.reduceat(ink, starts, axis=axis)  # so that no thin tip is lost
    return ink.reshape(shape[0] // FINE, FINE, shape[1] // FINE, FINE).mean(axis=(1, 3))


def center(digit):
    """The image, uint8 (28, 28), with the digit's center of mass in its middle."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    middle = np.array(ndimage.center_of_mass(digit)) + 0.5
    top, left = np.clip(np.rint(SIDE / 2 - middle).astype(int), 0, np.subtract(SIDE, digit.shape))
    image[top : top + digit.shape[0], left : left + digit.shape[1]] = np.rint(digit * 255)
    return image


def write_idx(path, array):
    """Write a uint8 array as a gzip-compressed IDX file, the same bytes every time."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=9, mtime=0))


def _number(split):
    return list(SIZES).index(split)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for split in SIZES:
        images, labels = make_split(split)
        write_idx(folder / f"{split}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{split}-labels-idx1-ubyte.gz", labels)
        print(f"{split}: {len(images)} images")
    print(f"{sum(file.stat().st_size for file in folder.glob('*.gz')) / 1e6:.2f} MB in {folder}")


if __name__ == "__main__":
    default = Path(__file__).parent / "digits"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
