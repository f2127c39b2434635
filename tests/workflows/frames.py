"""Small frames of pairs and records for tests of workflows and pages."""

import pandas as pd

THINGS = ("printer", "vpn", "mail", "screen", "password", "server")


def pairs_frame(n, *, label=None, split=None, graded=False):
    """Return `n` pairs that alternate between similar and different, or all of one label."""
    rows = []
    for number in range(n):
        one, other = THINGS[number % 6], THINGS[(number + 1 + number // 6) % 6]
        similar = number % 2 == 0 if label is None else bool(label)
        second = f"{one} is broken, case {number}" if similar else f"{other} question {number}"
        rows.append({"sentence1": f"{one} does not work {number}", "sentence2": second, "label": int(similar)})
    frame = pd.DataFrame(rows)
    if graded:
        frame["score"] = frame.pop("label") * 0.8 + 0.1
    return frame if split is None else frame.assign(split=split)
