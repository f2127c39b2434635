"""The log of a job as the tests of jobs read it: the whole of it, as it is on the disk."""


def read_log(workspace, job_id):
    """Return the log of a job, nothing if it has none yet."""
    path = workspace.job(job_id) / "log.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""
