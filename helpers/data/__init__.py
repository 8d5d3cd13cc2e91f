"""The data of the course, with one call each: `data.mnist()`, `data.pets()`, `data.activity()` ...

Each loader looks in a data folder (COURSE_DATA), in the cache (COURSE_CACHE), at the download
(only with COURSE_DOWNLOAD=yes) and at the offline default that ships with the course, in that
order, and says which it took. datasets/README.md tells more.
"""

from helpers.data.activity import Activity, activity
from helpers.data.animals import Pets, Species, pets, species
from helpers.data.digits import Digits, mnist
from helpers.data.files import DataError
from helpers.data.photos import photo
from helpers.data.radar import Radar, radar
from helpers.data.registry import names
from helpers.data.sources import Source, look, prefetch
from helpers.data.storms import Storms, check_storms, storms
from helpers.data.weights import backbone_weights

__all__ = [
    "Activity",
    "DataError",
    "Digits",
    "Pets",
    "Radar",
    "Source",
    "Species",
    "Storms",
    "activity",
    "backbone_weights",
    "check_storms",
    "look",
    "mnist",
    "names",
    "pets",
    "photo",
    "prefetch",
    "radar",
    "species",
    "storms",
]
