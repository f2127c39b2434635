"""The command `curriculum`: settings from presets, files and single values, a plan, and one job with the page."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.cli import app
from simtune_core.curriculum.config import CurriculumConfig, cumulative_phases, literal_phases
from simtune_core.datasets import list_versions
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError
from simtune_core.workflows.curricula import load_pool, settings_text
from simtune_core.workflows.cutting import plan_findings, plan_json, settings_for
from simtune_core.workflows.requests import candidates_request, curriculum_request
from simtune_core.workflows.running import job_of
from tests.walk import CURRICULUM

TFIDF = EncodingConfig(encoder="tfidf")


@pytest.fixture(scope="module")
def counted(walked):
    """Return the job of the walk that counted the tickets."""
    return job_of(
        walked.workspace, candidates_request(walked.workspace, "tickets", TFIDF, config=CandidatesConfig())
    ).id


@pytest.fixture(scope="module")
def pool(walked, counted):
    return load_pool(walked.workspace, counted)


def held_page():
    """Hold settings in a session as the page does, and show what comes out again."""
    import streamlit as st

    from simtune_core.curriculum.config import CurriculumConfig
    from ui.curriculum_settings import begin_with, held_config

    begin_with(CurriculumConfig.from_text(st.session_state["given"]))
    st.code(held_config().model_dump_json())


def test_page_and_command_ask_for_one_job_and_so_give_the_same_bytes(walked, counted, pool):
    from streamlit.testing.v1 import AppTest

    phases = tuple(
        phase.model_copy(update={"n_positives": 30, "n_negatives": 30}) for phase in pool.presets["cumulative"]
    )
    page = AppTest.from_function(held_page)
    page.session_state["given"] = settings_text(CurriculumConfig(phases=phases))
    held = json.loads(page.run().code[0].value)
    request = curriculum_request(walked.workspace, counted, held, "cut", new_version=False)

    assert held == walked.said["curriculum"]["result"]["config"]
    assert job_of(walked.workspace, request).id == walked.said["curriculum"]["result"]["job"]


def test_without_options_the_settings_are_those_that_the_page_begins_with(pool):
    assert settings_for(pool, None, None, []) == CurriculumConfig(phases=pool.presets["cumulative"])
    assert settings_for(pool, None, "literal", []).phases == pool.presets["literal"]
    given = CurriculumConfig(phases=literal_phases(), seed=3)
    assert settings_for(pool, given, None, []) == given
    assert settings_for(pool, CurriculumConfig(seed=3), "hard_only", []) == CurriculumConfig(
        phases=pool.presets["hard_only"], seed=3
    )


def test_single_values_change_the_whole_every_phase_or_one(pool):
    chosen = settings_for(
        pool, CurriculumConfig(phases=cumulative_phases()), None,
        ["seed=5", "n_positives=7", "hard.pos_min=0.25", "hard.n_positives=9", "medium.separability="],
    )  # fmt: skip

    assert chosen.seed == 5
    assert [phase.n_positives for phase in chosen.phases] == [7, 7, 9]
    assert [phase.pos_min for phase in chosen.phases] == [0.52, 0.40, 0.25]
    assert [phase.separability for phase in chosen.phases] == [0.37, None, 0.19]


@pytest.mark.parametrize(
    ("preset", "overrides", "sentence"),
    [
        ("literal", [], "The settings file names its phases, and a preset does so, too; take one of them."),
        (None, ["pairs=3"], "name=value with a name among rule, phases, .* phase.name=value for one of easy, medium"),
        (None, ["last.n_positives=3"], "one of easy, medium, hard; got 'last.n_positives=3'"),
        (None, ["n_positives"], "got 'n_positives'"),
        (None, ["easy.name=x"], "got 'easy.name=x'"),
        (None, ["hard.pos_min=2"], "pos_min: input should be less than or equal to 1"),
        (None, ["neg_max=0.1"], "neg_min must be below neg_max"),
        (None, ["seed=-1"], "seed: input should be greater"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_a_sentence(pool, preset, overrides, sentence):
    with pytest.raises(ConfigError, match=sentence):
        settings_for(pool, CurriculumConfig(phases=cumulative_phases()), preset, overrides)


def test_a_preset_that_needs_test_pairs_says_so(pool):
    with pytest.raises(ConfigError, match="test_matched needs test pairs"):
        settings_for(pool, None, "test_matched", [])


def test_a_plan_tells_what_is_missing_and_what_is_out_of_reach(pool):
    made = pool.plan(CurriculumConfig(phases=literal_phases()))
    told, findings = plan_json(made), plan_findings(made)

    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [phase["name"] for phase in told["phases"]] == ["easy", "medium", "hard"]
    assert told["n_pairs"] == sum(phase["n_pairs"] for phase in told["phases"])
    explained = [f"Phase {phase['name']}: {words}" for phase in told["phases"] for words in phase["explanations"]]
    codes = ("phase_explained", "target_out_of_reach")
    assert [found["message"] for found in findings if found["code"] in codes] == explained
    assert {found["severity"] for found in findings if found["code"] == "target_out_of_reach"} == {"warning"}
    assert any("medium" in words and "0.16" in words for words in explained)  # 0.52 - 0.36 is the most its bands allow
    short = [phase for phase in told["phases"] if phase["losses"]]
    messages = [found["message"] for found in findings if found["code"] in ("phase_short", "phase_otherwise")]
    assert len(short) == len(messages) > 0
    for phase, message in zip(short, messages, strict=True):
        assert message.startswith(
            f"Phase {phase['name']} will have {phase['n_pairs']:,} of {phase['n_wanted']:,} wanted; "
        )


def run(walked, *arguments):
    said = CliRunner().invoke(app, [*arguments, "--workspace", str(walked.workspace.root)])
    return said.exit_code, said.output


def test_the_command_plans_without_drawing(walked):
    before = [version.ref for version in list_versions(walked.workspace, "cut")]
    code, output = run(walked, *CURRICULUM, "--plan", "--json")
    envelope = json.loads(output)
    drawn = walked.said["curriculum"]["result"]

    assert code == 0
    assert envelope["result"]["config"] == drawn["config"]
    for planned, phase in zip(envelope["result"]["phases"], drawn["phases"], strict=True):
        names = ("name", "n_wanted", "n_pairs", "n_positive", "n_negative", "n_same_category")
        assert {name: planned[name] for name in names} == {name: phase[name] for name in names}
    assert [version.ref for version in list_versions(walked.workspace, "cut")] == before
    code, output = run(walked, "curriculum", "tickets", "--plan", "--preset", "hard_only")
    assert code == 0
    assert "none drawn" in output
    assert "separability wanted" in output


def test_the_recipe_is_printed_and_run_by_command(own_walk, tmp_path):
    walked = own_walk
    code, output = run(walked, "recipe", "cut")
    recipe = yaml.safe_load(output)

    assert code == 0
    assert recipe["makes"] == "cut@v0001"
    assert [source["ref"] for source in recipe["inputs"]] == ["tickets@v0001"]
    (tmp_path / "recipe.yaml").write_text(output)
    code, said = run(walked, "curriculum", "--recipe", str(tmp_path / "recipe.yaml"), "--name", "cut", "--json")
    assert code == 0
    assert json.loads(said)["result"]["steps"] == [
        {"do": "curriculum", "dataset": "cut@v0001", "n_pairs": walked.said["curriculum"]["result"]["n_pairs"],
         "as_told": True},
    ]  # fmt: skip
    code, said = run(walked, "recipe", "small", "--json")
    assert (code, json.loads(said)["error"]["code"]) == (1, "data")


@pytest.mark.parametrize(
    "arguments",
    [
        ("curriculum", "--name", "x"),
        ("curriculum", "tickets"),
        ("curriculum", "tickets", "--recipe", "r.yaml", "--name", "x"),
        ("curriculum", "--recipe", "r.yaml", "--name", "x", "--set", "seed=1"),
        ("curriculum", "--recipe", "r.yaml"),
        ("curriculum", "tickets", "--name", "x", "--preset", "easy"),
    ],
)
def test_options_that_do_not_fit_together_are_bad_usage(walked, arguments):
    assert run(walked, *arguments)[0] == 2
