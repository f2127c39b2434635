"""The results store: an index over the files of jobs, datasets and models, and the only SQL of the project."""

from simtune_core.store.checking import StoreCheck, check
from simtune_core.store.database import StoreSettings
from simtune_core.store.ingesting import Ingested
from simtune_core.store.queries import Counts, counts, evaluations, metric_names, metric_series, runs
from simtune_core.store.snapshots import QueryAnswer, QuerySettings, newest_snapshot, query, snapshot
from simtune_core.store.upkeep import export, ingest, rebuild
from simtune_core.store.verifying import Fault

__all__ = [
    "Counts",
    "Fault",
    "Ingested",
    "QueryAnswer",
    "QuerySettings",
    "StoreCheck",
    "StoreSettings",
    "check",
    "counts",
    "evaluations",
    "export",
    "ingest",
    "metric_names",
    "metric_series",
    "newest_snapshot",
    "query",
    "rebuild",
    "runs",
    "snapshot",
]
