"""The process in which a kind works: `python -m simtune_core.jobs.worker JOB_FOLDER RUNNER_PID`.

Writes result.json or error.json; how it ended is written by its runner, without which it dies.
"""

from __future__ import annotations

import errno
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from simtune_core.errors import SimtuneError, WorkspaceError
from simtune_core.files import disk_error, read_json, write_json
from simtune_core.jobs.causes import less_memory
from simtune_core.jobs.context import CONTINUES, Job
from simtune_core.jobs.continuing import require_checkpoint
from simtune_core.jobs.events import plain
from simtune_core.jobs.kernel import die_with
from simtune_core.jobs.kinds import load_kind
from simtune_core.jobs.states import DISK_FULL_CODE, ERROR, RESULT, SPEC, STOPPED_CODE
from simtune_core.workspace import open_workspace

_OUT_OF_MEMORY = "Out of memory: {error}. {peak}To go on, {advice}, then start it again."
_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(folder: Path, runner: int) -> int:
    """Do the work of one job.

    Args:
        folder: The job's folder, with its spec.json.
        runner: Process id of the runner, whose end is the end of this process.

    Returns:
        The exit code: 0 with result.json written, 143 the same after a stop was asked for, 28 on a full disk, 1 with
        error.json written.
    """
    die_with(runner)
    job = Job(folder, open_workspace(folder.parents[2]))
    job.catch_stop()
    params: dict[str, Any] = {}
    try:
        spec = read_json(folder / SPEC)
        params = spec["params"]
        _continue_from(job, spec.get("continues"))
        result = load_kind(spec["kind"])(params, job)
        stopped = job.stop_requested
        write_json(folder / RESULT, _with_alerts(plain(result), job))
    except Exception as error:
        return _fail(folder, error, params)
    finally:
        _close(job)
    return STOPPED_CODE if stopped else 0


def _continue_from(job: Job, earlier: str | None) -> None:
    """Give the job the newest checkpoint whose every file is as it was written, and say which one it is."""
    if earlier is None:
        return
    checkpoint = require_checkpoint(job.workspace, earlier, hashes=True)
    job.continues = checkpoint.folder
    for fault in checkpoint.skipped:
        job.alert("checkpoint_skipped", fault, step=checkpoint.step)
    job.ledger(CONTINUES, {"job": checkpoint.folder.parents[1].name, "step": checkpoint.step})  # joins their curves
    job.log(f"Continues {earlier} from its checkpoint of step {checkpoint.step}.")


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


def _fail(folder: Path, error: Exception, params: dict[str, Any]) -> int:
    """Write down why the kind failed; the exit code alone says it where a full disk leaves no room for that."""
    with suppress(OSError):
        traceback.print_exc()
    full = _disk_is_full(error)
    try:
        write_json(folder / ERROR, {"v": 1} | _worded(folder, error, params, full=full))
    except WorkspaceError:
        if not full:
            raise
    return DISK_FULL_CODE if full else 1


def _worded(folder: Path, error: Exception, params: dict[str, Any], *, full: bool) -> dict[str, str]:
    if isinstance(error, SimtuneError):
        return {"code": "disk_full" if full else error.code, "message": plain(str(error))}
    if full:
        return {"code": "disk_full", "message": str(disk_error(folder, OSError(errno.ENOSPC, "")))}
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        said = str(error).partition("\n")[0].rstrip(".") or "the host has no more"
        message = _OUT_OF_MEMORY.format(error=said, peak=_device_peak(), advice=less_memory(params))
        return {"code": "out_of_memory", "message": plain(message)}
    message = f"Unexpected error: {type(error).__name__}: {error} (see the log)."
    return {"code": "unexpected", "message": plain(message)}


def _device_peak() -> str:
    """Say how much memory of the GPU was in use at most; empty where none was used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return ""
    return f"At most {torch.cuda.max_memory_allocated() / 1e9:.2f} GB of the GPU were in use. "


def _disk_is_full(error: BaseException) -> bool:
    """Tell whether an error or what led to it is a full disk; safetensors and torch say so in their text alone."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "errno", None) in _FULL or "No space left on device" in str(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
