"""What was published about geomagnetic storms: their dates, and how well they were forecast."""

import csv
from dataclasses import dataclass
from datetime import date

from helpers.data import registry
from helpers.data.files import DataError


@dataclass(frozen=True)
class Dates:
    """A storm of Siciliano et al. (2021): number, split, first and last day (both included)."""

    number: int
    split: str
    first_day: date
    last_day: date


def dates() -> list[Dates]:
    """Return the 42 storms in the order of their numbers; the file is the course's own."""
    return [
        Dates(
            int(row["number"]),
            row["split"],
            date.fromisoformat(row["first_day"]),
            date.fromisoformat(row["last_day"]),
        )
        for row in _rows("published_storms.csv")
    ]


def errors() -> dict[int, dict[str, float]]:
    """Return the published RMSE in nT of each test storm, by its number: column name to value.

    GBM: Iong et al. (2022); LSTM-CNN: Collado-Villaverde et al. (2021); LSTM: Siciliano et al.
    (2021), one hour ahead only; persistence and Burton: baselines. All as listed by
    Collado-Villaverde et al. (2023).
    """
    return {
        int(row.pop("number")): {name: float(value) for name, value in row.items()}
        for row in _rows("published_rmse.csv")
    }


def _rows(name: str) -> list[dict[str, str]]:
    path = registry.DATASETS / "storms" / name
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}). The file belongs to the course: restore "
            "it with `git restore datasets`, or get the course anew"
        ) from error
