"""The curriculum page: sliders tell the yield at once, contradictions are sentences, a draw is one job."""

import pytest

from simtune_core.datasets import load_pairs
from simtune_core.jobs.launcher import list_jobs
from simtune_core.workflows.curricula import load_pool
from tests.pages.screen import ended, live_charts, table

COUNTED = {"curriculum.records": "tickets"}


def counted_job(walked):
    (job,) = [job for job in list_jobs(walked.workspace) if job.kind == "candidates"]
    return job


def yields(app):
    return [int(metric.value) for metric in app.metric if metric.label == "Pairs"]


def setting(app, name):
    (found,) = [
        widget for kind in ("slider", "number_input", "toggle") for widget in app.get(kind)
        if widget.key == f"curriculum.CurriculumConfig.{name}"
    ]  # fmt: skip
    return found


def test_the_cards_show_the_preview_of_the_counted_candidates(open_app, walked):
    app = open_app("curriculum", on=walked.workspace, query=COUNTED)
    pool = load_pool(walked.workspace, counted_job(walked).id)
    expected = pool.preview(pool.preset)

    assert yields(app) == [phase.n_pairs for phase in expected]
    shown = [metric.value for metric in app.metric if metric.label == "Separability"]
    assert shown == [f"{phase.separability:.3f}" for phase in expected]
    assert len(live_charts(app)) == 1


def test_a_moved_slider_changes_the_yield(open_app, walked):
    app = open_app("curriculum", on=walked.workspace, query=COUNTED)
    before = yields(app)
    setting(app, "easy_pos_min").set_value(0.9).run()

    assert not app.exception and not app.error
    pool = load_pool(walked.workspace, counted_job(walked).id)
    expected = pool.preview(pool.preset.model_copy(update={"easy_pos_min": 0.9}))
    assert yields(app) == [phase.n_pairs for phase in expected]
    assert yields(app)[0] < before[0]


def test_fewer_pairs_wished_means_nothing_is_missing(open_app, walked):
    app = open_app("curriculum", on=walked.workspace, query=COUNTED)
    setting(app, "pairs_per_phase").set_value(10).run()

    assert yields(app) == [10, 10, 10]
    assert [metric.delta for metric in app.metric if metric.label == "Pairs"] == ["", "", ""]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("easy_pos_min", 0.1, "positives must get harder: easy_pos_min >= medium_pos_min >= hard_pos_min"),
        ("hard_neg_max", 0.25, "negatives must get harder: easy_neg_max <= medium_neg_max <= hard_neg_max"),
        ("neg_min", 0.9, "neg_min must be below easy_neg_max, got 0.9 and 0.36"),
    ],
)
def test_contradictory_thresholds_are_a_sentence_and_are_mended_by_moving_back(open_app, walked, name, value, sentence):
    app = open_app("curriculum", on=walked.workspace, query=COUNTED)
    usual = setting(app, name).value
    setting(app, name).set_value(value).run()

    assert not app.exception
    assert [error.value for error in app.error] == ["These thresholds contradict each other."]
    assert sentence in app.code[0].value

    setting(app, name).set_value(usual).run()
    assert not app.error and len(yields(app)) == 3


def test_a_taken_name_is_a_sentence_and_starts_nothing(open_app, walked):
    n_before = len(list_jobs(walked.workspace))
    app = open_app("curriculum", on=walked.workspace, query=COUNTED)
    app.text_input(key="curriculum.name").set_value("cut")
    app.button(key="curriculum.generate").click().run()

    assert [error.value for error in app.error] == ["This was not generated; the workspace is as it was."]
    assert app.code[0].value == "The name 'cut' is taken by another dataset; choose another name."
    assert len(list_jobs(walked.workspace)) == n_before


def test_generate_draws_what_was_promised(open_app, own_walk):
    n_before = len(list_jobs(own_walk.workspace))
    app = open_app("curriculum", on=own_walk.workspace, query=COUNTED)
    setting(app, "pairs_per_phase").set_value(20).run()
    app.text_input(key="curriculum.name").set_value("mine")
    app.button(key="curriculum.generate").click().run()
    ended(own_walk.workspace, n_before + 1)
    app.run()

    assert not app.exception and not app.error
    drawn = table(app, "The phases of mine")
    pairs = load_pairs(own_walk.workspace, "mine").frame
    assert drawn.set_index("phase")["pairs"].to_dict() == pairs["phase"].value_counts().to_dict()
    assert drawn["pairs"].sum() == len(pairs) <= 60


def test_records_that_cannot_tell_positive_from_negative_are_refused_in_words(open_app, workspace):
    import pandas as pd

    from simtune_core.datasets import save_records
    from simtune_core.records import with_record_columns

    frame = pd.DataFrame({"id": ["1", "2"], "text": ["printer", "vpn"], "category": ["it", "it"]})
    save_records(workspace, "flat", with_record_columns(frame), provenance={})
    app = open_app("curriculum")

    assert not app.exception
    assert "must have duplicate groups or at least two categories" in app.code[0].value
