"""What a reader sees of a page opened by `open_app`: its words, its tables, the alt texts of its charts."""

import json
import time

from simtune_core.jobs.launcher import list_jobs


def words(app):
    """Return every piece of text on the page and in the sidebar, one a line: messages, captions, metrics, labels."""
    kinds = ("title", "header", "markdown", "caption", "text", "code", "info", "warning", "error", "success")
    parts = [str(element.value) for kind in kinds for element in app.get(kind)]
    parts += [f"{metric.label} {metric.value} {metric.delta}" for metric in app.metric]
    parts += [
        badge for badge in (element.label for kind in ("button", "page_link") for element in app.get(kind)) if badge
    ]
    return "\n".join(parts).replace("\\", "")  # labels escape Markdown with it


def steps(app):
    """Return the labels of what can be pressed on the page itself, not in the menu or the sidebar."""
    return [element.label for kind in ("button", "page_link", "file_uploader") for element in app.main.get(kind)]


def alts(app):
    """Return the alt text of every chart and table that is drawn; an empty one where there is none."""
    drawn = [element.proto.alt for kind in ("plotly_chart", "dataframe") for element in app.main.get(kind)]
    return drawn + [json.loads(chart)["alt"] for chart in live_charts(app)]


def live_charts(app):
    """Return the data, as JSON, of the charts drawn in place."""
    mounted = [element.proto for element in app.main.get("bidi_component")]
    return [proto.json for proto in mounted if proto.component_name == "simtune_live_chart"]


def table(app, about):
    """Return the one table whose alt text holds `about`, as a frame."""
    (found,) = [element for element in app.dataframe if about in element.proto.alt]
    return found.value


def ended(workspace, n=1, seconds=60):
    """Wait until the workspace has `n` jobs that have all ended, and return them, newest first."""
    deadline = time.monotonic() + seconds
    while len(jobs := list_jobs(workspace)) < n or any(job.active for job in jobs):
        assert time.monotonic() < deadline, [(job.title, job.state) for job in jobs]
        time.sleep(0.1)
    return jobs
