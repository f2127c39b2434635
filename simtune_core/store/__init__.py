"""The results store: an index over the files of jobs, datasets and models, and the only SQL of the project."""

from simtune_core.store.database import StoreSettings
from simtune_core.store.ingesting import Ingested
from simtune_core.store.queries import Counts, counts, evaluations, metric_names, metric_series, runs
from simtune_core.store.upkeep import Difference, StoreCheck, check, export, ingest, rebuild

__all__ = [
    "Counts",
    "Difference",
    "Ingested",
    "StoreCheck",
    "StoreSettings",
    "check",
    "counts",
    "evaluations",
    "export",
    "ingest",
    "metric_names",
    "metric_series",
    "rebuild",
    "runs",
]
