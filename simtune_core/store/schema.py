"""The tables of the results store, as a list of migrations that only grows.

Table names are the only thing other modules may assume; what is in them comes from files and can be made again.
"""

from __future__ import annotations

from itertools import chain
from typing import Literal

from simtune_core.errors import StoreError
from simtune_core.store.database import Database

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)",
        """CREATE TABLE jobs (
            job_id VARCHAR PRIMARY KEY, kind VARCHAR NOT NULL, title VARCHAR NOT NULL, params VARCHAR NOT NULL,
            state VARCHAR NOT NULL, created DOUBLE, started DOUBLE, ended DOUBLE, cause VARCHAR NOT NULL,
            last_step BIGINT, result VARCHAR, byte_offset BIGINT NOT NULL, n_bad BIGINT NOT NULL,
            settled BOOLEAN NOT NULL
        )""",
        """CREATE TABLE events (
            job_id VARCHAR NOT NULL, seq BIGINT NOT NULL, time DOUBLE NOT NULL, kind VARCHAR NOT NULL,
            name VARCHAR NOT NULL, step BIGINT, epoch DOUBLE, phase VARCHAR, value DOUBLE, detail VARCHAR,
            PRIMARY KEY (job_id, seq)
        )""",
        """CREATE TABLE evaluation_metrics (
            job_id VARCHAR NOT NULL, position INTEGER NOT NULL, set_ref VARCHAR, encoder VARCHAR NOT NULL,
            baseline VARCHAR, metric VARCHAR NOT NULL, value DOUBLE
        )""",
        """CREATE TABLE datasets (
            folder VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, version VARCHAR NOT NULL, kind VARCHAR NOT NULL,
            n_rows BIGINT, content_id VARCHAR, created DOUBLE, manifest VARCHAR NOT NULL
        )""",
        """CREATE TABLE models (
            model_id VARCHAR PRIMARY KEY, kind VARCHAR, base VARCHAR, job_id VARCHAR, train VARCHAR, dev VARCHAR,
            created DOUBLE, manifest VARCHAR NOT NULL
        )""",
        "CREATE TABLE notices (time DOUBLE NOT NULL, message VARCHAR NOT NULL)",
    ),
    (
        "ALTER TABLE jobs ADD COLUMN attempt INTEGER",
        "ALTER TABLE jobs ADD COLUMN continues VARCHAR",
        "ALTER TABLE jobs ADD COLUMN device VARCHAR",
        "UPDATE jobs SET settled = false",  # so that the next ingest fills the new columns
    ),
)
TABLES = ("jobs", "events", "evaluation_metrics", "datasets", "models")
State = Literal["ready", "fresh", "old", "foreign"]
Depth = Literal["nothing", "index", "everything"]
_VERSION, _DEPTH = "schema_version", "filled"


def prepare(database: Database, *, upgrade: bool) -> State:
    """Bring a database to the newest schema, in one transaction for all steps.

    Args:
        database: The open file.
        upgrade: Whether a store of an older schema is brought to the newest one; otherwise it is left as it is.

    Returns:
        "fresh" if it was empty and now has empty tables, "foreign" if it holds tables that are not ours and was left
        as it is, "old" if it is to be copied and then upgraded, else "ready".

    Raises:
        StoreError: If it has a schema newer than this program knows.
    """
    version = schema_version(database)
    if version is None:
        return "foreign"
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The results store has schema {version}, this program knows up to {len(MIGRATIONS)}: it was written by a "
            "newer simtune and was left as it is. Update simtune, or make the store again from the files with "
            "`store rebuild`."
        )
    if version == len(MIGRATIONS):
        return "ready"
    if version and not upgrade:
        database.run("CHECKPOINT")
        return "old"
    with database.transaction():
        for statement in chain.from_iterable(MIGRATIONS[version:]):
            database.run(statement)
        _put(database, _VERSION, str(len(MIGRATIONS)))
        _put(database, _DEPTH, "nothing")
    database.run("CHECKPOINT")
    return "ready" if version else "fresh"


def schema_version(database: Database) -> int | None:
    """Return the schema of a store, 0 for an empty database and None for one that is not ours."""
    tables = {name for (name,) in database.rows("SELECT table_name FROM information_schema.tables")}
    if not tables:
        return 0
    if not {"meta", "jobs", "events"} <= tables:
        return None
    found = database.rows("SELECT try_cast(value AS INTEGER) FROM meta WHERE key = ?", [_VERSION])
    return int(found[0][0]) if found and found[0][0] else None


def depth(database: Database) -> Depth:
    """Return how much of the files a store holds that was made again: only the index of jobs and manifests, or all."""
    found: list[tuple[Depth]] = database.rows("SELECT value FROM meta WHERE key = ?", [_DEPTH])
    return found[0][0] if found else "everything"


def set_depth(database: Database, reached: Depth) -> None:
    """Write down how much of the files the store holds."""
    if depth(database) != reached:
        _put(database, _DEPTH, reached)


def _put(database: Database, key: str, value: str) -> None:
    database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])
