"""A photograph for the first filters."""

import numpy as np

from helpers.data.files import DataError


def photo() -> np.ndarray:
    """Return a color photograph, uint8 (427, 640, 3), 0 to 255 for red, green and blue.

    It comes with scikit-learn, so that there is nothing to look for and nothing to download. Raises
    `DataError` when scikit-learn, or Pillow, which reads the file, isn't installed.
    """
    try:
        from sklearn.datasets import load_sample_image

        picture = load_sample_image("china.jpg")
    except ImportError as error:
        raise DataError(
            f"The photograph comes with scikit-learn, which does not load ({error}). "
            "Install it: pip install --requirement requirements.txt"
        ) from error
    print("Photo: china.jpg, which comes with scikit-learn (by danielbuechele, CC BY 2.0).")
    return np.array(picture)
