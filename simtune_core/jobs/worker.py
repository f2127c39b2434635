"""The process in which a kind works: `python -m simtune_core.jobs.worker JOB_FOLDER RUNNER_PID`.

Writes result.json or error.json; how it ended is written by its runner, without which it dies.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from simtune_core.errors import SimtuneError
from simtune_core.files import read_json, write_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.events import plain
from simtune_core.jobs.kernel import die_with
from simtune_core.jobs.kinds import load_kind
from simtune_core.jobs.states import ERROR, RESULT, SPEC
from simtune_core.workspace import open_workspace

_OUT_OF_MEMORY = "Out of memory: {error}. Lower the batch size or the maximum length, then start it again."


def main(folder: Path, runner: int) -> int:
    """Do the work of one job.

    Args:
        folder: The job's folder, with its spec.json.
        runner: Process id of the runner, whose end is the end of this process.

    Returns:
        The exit code: 0 with result.json written, 1 with error.json written.
    """
    die_with(runner)
    job = Job(folder, open_workspace(folder.parents[2]))
    job.catch_stop()
    try:
        spec = read_json(folder / SPEC)
        result = load_kind(spec["kind"])(spec["params"], job)
        write_json(folder / RESULT, _with_alerts(plain(result), job))
    except SimtuneError as error:
        return _record(folder, error.code, str(error))
    except Exception as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return _record(folder, "out_of_memory", _OUT_OF_MEMORY.format(error=error or "the host has no more"))
        return _record(folder, "unexpected", f"Unexpected error: {type(error).__name__}: {error} (see the log).")
    finally:
        _close(job)
    return 0


def _close(job: Job) -> None:
    """Complete the event file; a result that is written stays one, even if the last events find no room."""
    try:
        job.close()
    except (SimtuneError, OSError):
        traceback.print_exc()


def _with_alerts(result: dict[str, Any], job: Job) -> dict[str, Any]:
    """Put what the job alerted to among its findings, each once."""
    findings = list(result.get("findings") or [])
    known = {(finding.get("code"), finding.get("message")) for finding in findings}
    alerts = [alert for alert in job.alerts if (alert["code"], alert["message"]) not in known]
    return result | {"findings": findings + plain(alerts)} if findings or alerts else result


def _record(folder: Path, code: str, message: str) -> int:
    traceback.print_exc()
    write_json(folder / ERROR, {"v": 1, "code": code, "message": plain(message)})
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
