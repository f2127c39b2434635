"""Each check fires on what it is for, stays silent on a sound model, and says when it has nothing to say."""

import json
from dataclasses import replace

import pytest

from simtune_core.adapters.checks import CHECKS, check_model, findings_of, latest_checks, save_checks
from simtune_core.adapters.inspection import Inspection, LayerNorms
from simtune_core.errors import WorkspaceError

SOUND = Inspection(
    kind="lora",
    wrapped_outside=False,
    layers=(LayerNorms("layer.0.query", 0.5, 0.8),),
    missing_keys=(),
    unexpected_keys=(),
    active_adapters=("default",),
    merged=False,
    tuned_difference=0.05,
    disabled_difference=0.0,
    recorded_fingerprint="abc",
    found_fingerprint="abc",
    changed_files=(),
)
HEAD = Inspection(
    kind="head", tuned_difference=0.1, head_distance=2.0, head_parity=1e-7,
    recorded_fingerprint="abc", found_fingerprint="abc", changed_files=(),
)  # fmt: skip
UNTRAINED = (LayerNorms("layer.0.query", 0.0, 0.0),)


def outcomes(report):
    return {result.code: result.outcome for result in report.results}


def test_a_sound_adapter_passes_everything_that_applies():
    report = check_model("m", SOUND)
    assert (report.status, report.ok, report.failed) == ("applied", True, ())
    assert outcomes(report) == {check.code: "passed" for check in CHECKS} | {"A008": "not applicable"}


def test_a_sound_head_passes_and_adapter_checks_are_not_applicable():
    report = check_model("m", HEAD)
    assert report.status == "applied"
    assert {code for code, outcome in outcomes(report).items() if outcome == "not applicable"} == {
        "A001",
        "A002",
        "A005",
    }


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"wrapped_outside": True}, "A001", "not applied"),
        ({"missing_keys": ("q.lora_B",)}, "A002", "not applied"),
        ({"unexpected_keys": ("x.lora_B",)}, "A002", "not applied"),
        ({"layers": UNTRAINED}, "A003", "not trained"),
        ({"tuned_difference": 0.0}, "A004", "not applied"),
        ({"disabled_difference": 1e-6}, "A005", "not applied"),
        ({"merged": True}, "A005", "not applied"),
        ({"found_fingerprint": "def"}, "A006", "not applied"),
        ({"changed_files": ("adapter/adapter_model.safetensors",)}, "A007", "not applied"),
    ],
)
def test_each_fault_fires_its_own_check_alone(change, code, status):
    report = check_model("m", replace(SOUND, **change))
    assert [result.code for result in report.failed] == [code]
    assert report.status == status
    assert not report.ok


def test_a_head_that_is_not_its_matrix_is_not_applied():
    assert check_model("m", replace(HEAD, head_parity=1e-3)).status == "not applied"


def test_an_untrained_adapter_that_changes_nothing_is_not_trained():
    assert check_model("m", replace(SOUND, layers=UNTRAINED, tuned_difference=0.0)).status == "not trained"


def test_a_model_that_cannot_be_loaded_leaves_the_rest_not_run():
    broken = Inspection("lora", load_error="torn", recorded_fingerprint="a", found_fingerprint="a", changed_files=())
    report = check_model("m", broken)
    assert report.status == "not applied"
    assert outcomes(report) == {check.code: "not run" for check in CHECKS} | {
        "A000": "failed", "A006": "passed", "A007": "passed",
    }  # fmt: skip
    assert findings_of(report) == [{"code": "A000", "severity": "error", "message": "The model can be loaded: torn"}]


def test_a_live_model_without_files_is_not_judged_by_them():
    report = check_model("m", replace(SOUND, recorded_fingerprint=None, changed_files=None))
    assert (outcomes(report)["A006"], outcomes(report)["A007"]) == ("not run", "not run")


def test_the_newest_report_is_read_back_as_it_was_written(workspace):
    assert latest_checks(workspace, "m") is None
    older = replace(check_model("m", replace(SOUND, merged=True)), created=1.0)
    newer = replace(check_model("m", SOUND), created=2.0)
    save_checks(workspace, newer, job_id="a-job")
    save_checks(workspace, older, job_id="b-job")
    read = latest_checks(workspace, "m")
    assert read.results == newer.results
    assert json.dumps(read.as_dict()) == json.dumps(newer.as_dict())


def test_a_damaged_report_is_refused_by_name(workspace):
    save_checks(workspace, check_model("m", SOUND), job_id="a-job")
    (workspace.model("m") / "checks" / "a-job.json").write_text('{"results": 1}')
    with pytest.raises(WorkspaceError, match=r"a-job\.json is damaged"):
        latest_checks(workspace, "m")
