"""The tables of the results store, as a list of migrations that only grows.

Table names are the only thing other modules may assume; what is in them comes from files and can be made again.
"""

from __future__ import annotations

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
)
TABLES = ("jobs", "events", "evaluation_metrics", "datasets", "models")
_VERSION = "schema_version"


def prepare(database: Database) -> Literal["ready", "fresh", "foreign"]:
    """Bring a database to the newest schema.

    Returns:
        "fresh" if it was empty and now has empty tables, "foreign" if it holds tables that are not ours and was left
        as it is, else "ready".

    Raises:
        StoreError: If it has a schema newer than this program knows.
    """
    ours = has_our_tables(database)
    if not ours and database.rows("SELECT 1 FROM information_schema.tables LIMIT 1"):
        return "foreign"
    version = _version(database) if ours else 0
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The results store has schema {version}, this program knows up to {len(MIGRATIONS)}: it was written by a "
            "newer simtune. Update simtune, or make the store again from the files with `store rebuild`."
        )
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        with database.transaction():
            for statement in statements:
                database.run(statement)
            database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [_VERSION, str(number)])
    if version < len(MIGRATIONS):
        database.run("CHECKPOINT")
    return "ready" if version else "fresh"


def has_our_tables(database: Database) -> bool:
    """Tell whether the database holds a results store."""
    return bool(database.rows("SELECT 1 FROM information_schema.tables WHERE table_name = 'meta'"))


def _version(database: Database) -> int:
    found = database.rows("SELECT value FROM meta WHERE key = ?", [_VERSION])
    return int(found[0][0]) if found else 0
