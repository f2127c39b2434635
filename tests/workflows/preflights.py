"""Results of preflight jobs as they are stored, with the numbers of the story's stand-in."""

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.coverage import Band, Cell, Coverage
from simtune_core.difficulty.preflight.detectable import Detectable
from simtune_core.difficulty.preflight.fixes import Bands
from simtune_core.difficulty.preflight.headroom import Standing
from simtune_core.difficulty.preflight.probe import CrossValidated, Probe
from simtune_core.difficulty.preflight.reasons import Evidence
from simtune_core.difficulty.preflight.shift import Shift
from simtune_core.difficulty.preflight.verdict import decide
from simtune_core.evaluation.uncertainty import Interval

TRAIN = Standing("easy@v0001", 3854, 0.5, False, 0.496, 0.998, 0.863, 1.0)
TEST = Standing("founding@v0001:test", 1000, 0.5, False, 0.144, 0.770, 0.467, 0.947)
COVERAGE = Coverage(
    0.788, 0.878, 0.698,
    (Cell(0, 0.45, 0.5, 40, 75, True), Cell(0, 0.5, 0.55, 9, 50, False), Cell(1, 0.6, 0.65, 300, 70, True)),
    (Band(0, 0.5, 0.85, 9, 151, 0.3),), 0.05, 20,
)  # fmt: skip
SHIFT = Shift(0.988, (("TF-IDF cosine", 0.46), ("cosine", 0.001)), 0.158, 0.194, 3854, 1000, 2888)
PROBE = Probe(
    "roc_auc", CrossValidated(0.998, 0.999, (0.001,), 1836, False), 0.770, 0.805,
    Interval(0.035, 0.007, 0.064, 2000, 1124, 0), "WIN", True, 0.001, 8, 3854, 0, 3854, 1000, 1000,
)  # fmt: skip
DETECTABLE = Detectable("roc_auc", 0.0325, 0.0116, 1000, 1124, 10577, 0.9)
EVIDENCE = Evidence(
    encoder="minilm", space="minilm", train=TRAIN, test=TEST, coverage=COVERAGE, shift=SHIFT, probe=PROBE,
    not_probed="", detectable=DETECTABLE, bands=Bands((0.58, 0.48, 0.35), (0.44, 0.53, 0.65), 0.2),
)  # fmt: skip
ONE_SET = {
    "title": "minilm", "verdict": None, "train": TRAIN.as_json(), "test": None, "coverage": None, "shift": None,
    "probe": None, "not_probed": "No probe.", "detectable": None, "audits": [],
}  # fmt: skip
FIX_DATA = ONE_SET | {
    "verdict": decide(EVIDENCE, PreflightConfig()).as_json(), "test": TEST.as_json(), "coverage": COVERAGE.as_json(),
    "shift": SHIFT.as_json(), "probe": PROBE.as_json(), "not_probed": "", "detectable": DETECTABLE.as_json(),
}  # fmt: skip
