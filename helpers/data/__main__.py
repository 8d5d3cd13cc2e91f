"""`python -m helpers.data`: download every data set into the cache, for use without a network."""

import sys

from helpers import data

try:
    data.prefetch()
except data.DataError as error:
    sys.exit(str(error))
