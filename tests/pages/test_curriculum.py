"""The curriculum page: sliders tell the yield at once, contradictions are sentences, a draw is one job."""

import re

import pandas as pd
import pytest

from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.presets import PRESETS
from simtune_core.datasets import load_pairs, save_pairs, save_records
from simtune_core.jobs.launcher import list_jobs
from simtune_core.records import with_record_columns
from simtune_core.workflows.curricula import load_pool, plan_rows, settings_text
from simtune_core.workspace import SAMPLE
from tests.pages.screen import ended, live_charts, table, words
from ui.keys import CURRICULUM_SETTINGS, config_key

COUNTED = {"curriculum.records": "tickets"}


@pytest.fixture
def opened(open_app, walked):
    """Return the page on the candidates that the walk has counted."""
    return open_app("curriculum", on=walked.workspace, query=COUNTED)


@pytest.fixture(scope="module")
def pool(walked):
    return load_pool(walked.workspace, counted_job(walked).id)


def counted_job(walked):
    return min((job for job in list_jobs(walked.workspace) if job.kind == "candidates"), key=lambda job: job.created)


def band(app, phase, of):
    return app.slider(key=f"curriculum.{phase}.PhaseConfig.{of}_min-{of}_max")


def yields(app):
    """Return what the cards say: pairs, pairs wanted, and in words what was lost, of each phase."""
    told = (element.value.replace("\\", "") for element in app.markdown if "** of " in element.value)
    return [
        (*re.findall(r"\d[\d,]*", text.split(" wanted")[0]), *re.findall(r":small\[(.*?)\]", text)) for text in told
    ]


def presets(app):
    return [each.proto.popover for each in app.get("popover") if each.proto.popover.label.startswith("Preset: ")]


def choose_preset(app, name):
    app.session_state["curriculum.presets"] = True
    app.run()
    app.button(key=f"curriculum.preset.{name}").click().run()


def foretold(made):
    """Return the same of a plan."""
    return [
        (f"{phase.n_pairs:,}", f"{phase.n_wanted:,}", *(loss.words for loss in phase.losses)) for phase in made.phases
    ]


def planned(pool, config=None):
    return pool.plan(config or CurriculumConfig(phases=pool.presets["cumulative"]))


def numbers(app):
    return table(app, "What every phase will hold").to_numpy().tolist()


def test_cards_and_table_show_the_plan_of_the_counted_candidates(opened, pool):
    made = planned(pool)

    assert not opened.exception and not opened.error
    assert yields(opened) == foretold(made)
    assert numbers(opened) == [[row.label, row.test, *row.phases] for row in plan_rows(pool, made)]
    assert len(live_charts(opened)) == 1
    assert made.rule.words in words(opened)


def test_a_moved_slider_changes_the_plan_and_the_preset_becomes_custom(opened, pool):
    before = yields(opened)
    band(opened, "p1", "pos").set_value((0.9, 1.0)).run()

    first, *rest = pool.presets["cumulative"]
    moved = CurriculumConfig(phases=(first.model_copy(update={"pos_min": 0.9}), *rest))
    assert not opened.exception and not opened.error
    assert yields(opened) == foretold(planned(pool, moved))
    assert yields(opened)[0] != before[0]
    assert [each.label for each in presets(opened)] == ["Preset: Custom"]


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "test_matched"])
def test_a_preset_sets_every_phase(opened, pool, name):
    choose_preset(opened, name)

    assert not opened.exception and not opened.error
    made = planned(pool, CurriculumConfig(phases=pool.presets[name]))
    assert yields(opened) == foretold(made)
    told = words(opened)
    assert all(sentence in told for phase in made.phases for sentence in phase.explanations)


def test_the_literal_bands_are_known_to_miss_their_targets_before_anything_is_drawn(opened):
    choose_preset(opened, "literal")

    told = "\n".join(element.value for element in opened.warning).replace("\\", "")
    assert "**medium**" in told and "**hard**" in told
    assert not [job for job in opened.button if job.label == "Stop"]


def test_a_band_without_width_is_a_sentence_and_stops_the_button(opened):
    usual = band(opened, "p1", "pos").value
    band(opened, "p1", "pos").set_value((0.6, 0.6)).run()

    assert not opened.exception
    assert [each.value for each in opened.error] == [
        "These settings contradict each other; nothing is planned until they do not."
    ]
    assert "easy: pos_min must be below pos_max, got 0.6 and 0.6" in opened.code[0].value
    assert opened.button(key="curriculum.generate").disabled

    band(opened, "p1", "pos").set_value(usual).run()
    assert not opened.error and not opened.button(key="curriculum.generate").disabled


def test_phases_are_added_and_removed_and_keep_their_sliders(opened):
    band(opened, "p3", "pos").set_value((0.33, 1.0)).run()
    opened.button(key="curriculum.add").click().run()
    assert len(yields(opened)) == 4
    assert band(opened, "p4", "pos").value == (0.33, 1.0)  # like the last one, to be changed

    opened.session_state["curriculum.more.p2"] = True
    opened.run()
    opened.button(key="curriculum.remove.p2").click().run()
    assert not opened.exception and not opened.error
    assert [slider.key for slider in opened.slider if "pos_min" in slider.key] == [
        f"curriculum.{phase}.PhaseConfig.pos_min-pos_max" for phase in ("p1", "p3", "p4")
    ]
    assert band(opened, "p3", "pos").value == (0.33, 1.0)


def test_settings_that_wait_in_the_session_are_taken_over_once(open_app, walked):
    config = CurriculumConfig(phases=({"name": "only", "pos_min": 0.4, "neg_max": 0.3, "n_positives": 7},), seed=3)
    app = open_app("curriculum", on=walked.workspace, query=COUNTED, state={CURRICULUM_SETTINGS: settings_text(config)})

    assert not app.exception and not app.error
    assert band(app, "p1", "pos").value == (0.4, 1.0)
    assert len(yields(app)) == 1
    assert app.session_state[config_key(CurriculumConfig, "seed", "curriculum")] == 3
    band(app, "p1", "pos").set_value((0.5, 1.0)).run()
    assert band(app, "p1", "pos").value == (0.5, 1.0)


def test_settings_that_are_none_are_a_sentence_and_the_sliders_stand(open_app, walked):
    app = open_app("curriculum", on=walked.workspace, query=COUNTED, state={CURRICULUM_SETTINGS: "phases: 3"})

    assert not app.exception
    assert "phases" in app.code[0].value
    assert len(yields(app)) == 3


def test_a_dragged_line_moves_its_slider_once(opened, walked):
    chart = f"curriculum.pool.{counted_job(walked).id}"
    opened.session_state[chart] = {"line": {"place": 4, "x": 0.437, "at": 1}}  # the second phase's first line
    opened.run()
    assert band(opened, "p2", "pos").value == (0.44, 1.0)

    band(opened, "p2", "pos").set_value((0.5, 1.0)).run()
    assert band(opened, "p2", "pos").value == (0.5, 1.0)


def test_examples_are_pairs_that_the_phase_would_draw(opened):
    opened.session_state["curriculum.examples"] = True
    opened.run()
    opened.button(key="curriculum.examples_show").click().run()

    assert not opened.exception and not opened.error
    shown = table(opened, "positive pairs that the phase easy could draw")
    assert 0 < len(shown) <= 20
    assert (shown["similarity"] >= 0.52 - 1e-6).all()
    assert shown["similarity"].is_monotonic_decreasing


def test_a_taken_name_is_a_sentence_and_starts_nothing(opened, walked):
    n_before = len(list_jobs(walked.workspace))
    opened.text_input(key="curriculum.name").set_value("cut")
    opened.button(key="curriculum.generate").click().run()

    assert [error.value for error in opened.error] == ["This was not generated; the workspace is as it was."]
    assert opened.code[0].value == "The name 'cut' is taken by another dataset; choose another name."
    assert len(list_jobs(walked.workspace)) == n_before


def test_generate_draws_what_was_foretold_and_the_command_draws_the_same(open_app, own_walk, tmp_path):
    n_before = len(list_jobs(own_walk.workspace))
    config = CurriculumConfig(phases=({"name": "only", "n_positives": 20, "n_negatives": 20},))
    app = open_app(
        "curriculum", on=own_walk.workspace, query=COUNTED, state={CURRICULUM_SETTINGS: settings_text(config)}
    )
    app.text_input(key="curriculum.name").set_value("mine")
    app.button(key="curriculum.generate").click().run()
    ended(own_walk.workspace, n_before + 1)
    app.run()

    assert not app.exception and not app.error
    rows = {row[0]: row[2] for row in table(app, "The phases of mine").to_numpy().tolist()}
    pairs = load_pairs(own_walk.workspace, "mine").frame
    assert rows["pairs"] == rows["pairs foretold"] == f"{len(pairs)}"
    (tmp_path / "mine.yaml").write_text(settings_text(config), encoding="utf-8")
    own_walk.run("curriculum", "tickets", "--name", "again", "--config", str(tmp_path / "mine.yaml"))
    pd.testing.assert_frame_equal(pairs, load_pairs(own_walk.workspace, "again").frame)


def test_what_was_generated_is_chosen_first_in_the_tab_refine(open_app, own_walk):
    state = {"curriculum.next": "cut"}
    app = open_app("curriculum", on=own_walk.workspace, query={"curriculum.tab": "Refine"}, state=state)

    assert not app.exception
    assert app.selectbox(key="curriculum.set").value == "cut"


@pytest.mark.parametrize("section", ["Look over", "Augment", "Compare", "Take it on"])
def test_every_section_of_the_tab_refine_opens(open_app, walked, section):
    query = {"curriculum.tab": "Refine", "curriculum.section": section, "curriculum.set": "cut"}
    app = open_app("curriculum", on=walked.workspace, query=query)

    assert not app.exception and not app.error
    assert app.selectbox(key="curriculum.set").value == "cut"
    assert app.button_group(key="curriculum.section").value == section


def test_the_tab_mine_opens(open_app, walked):
    app = open_app("curriculum", on=walked.workspace, query={"curriculum.tab": "Mine"})

    assert not app.exception and not app.error


def test_an_empty_workspace_says_what_is_missing(open_app):
    app = open_app("curriculum")

    assert not app.exception
    assert "holds no record set yet" in app.info[0].value


def test_records_without_categories_are_counted_and_only_the_band_can_label_them(open_app, workspace):
    frame = pd.DataFrame({"id": list("1234"), "text": ["printer jam", "printer jammed", "vpn down", "vpn is down"]})
    save_records(workspace, "flat", with_record_columns(frame), provenance={})
    app = open_app("curriculum")
    app.button(key="curriculum.ask.start").click().run()
    ended(workspace, 1)
    app.run()

    assert not app.exception and not app.error
    rule = app.selectbox(key="curriculum.CurriculumConfig.rule")
    assert rule.options == ["Automatic", "Similarity band alone"]


def test_the_test_set_is_one_of_a_like_name_or_none(open_app, workspace):
    records = pd.read_parquet(SAMPLE / "records.parquet").head(5)
    pairs = pd.read_parquet(SAMPLE / "pairs.parquet").groupby("split").head(5)
    save_records(workspace, "itsm_records", with_record_columns(records), provenance={})
    save_pairs(workspace, "sample", pairs, provenance={})
    assert open_app("curriculum").selectbox(key="curriculum.test").value == "no test set"

    save_pairs(workspace, "itsm_pairs", pairs, provenance={})
    assert open_app("curriculum").selectbox(key="curriculum.test").value == "itsm_pairs:test"
