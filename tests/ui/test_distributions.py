"""The panel of distributions: what is clicked is what is listed, phases can be shown, the grey zone costs no job."""

import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.jobs.launcher import list_jobs
from simtune_core.workflows.distributions import facets_of
from simtune_core.workspace import VARIABLE

TRAIN, TEST = "some@v0001:train", "some@v0001:test"


def page():
    from tests.measured import request
    from ui.ask import answer_to
    from ui.distributions import distributions_panel, grey_zone
    from ui.session import current_workspace

    answer = answer_to(request(current_workspace()), key="difficulty.ask", button="Measure")
    distributions_panel(answer, grey=grey_zone())


@pytest.fixture
def app(measured, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(measured.workspace.root))
    return rerun(AppTest.from_function(page, default_timeout=60))


def rerun(app):
    app.run()
    assert not app.exception and not app.error
    return app


def click(app, measured, **told):
    app.session_state[f"difficulty.explorer.{measured.job}"] = told
    return rerun(app)


def listed(app):
    return app.text[0].value


def test_the_grey_zone_of_the_first_set_is_listed_at_first(app, measured):
    expected = round(measured.result["sides"][0]["grey_share"] * measured.result["sides"][0]["n_pairs"])

    assert listed(app).startswith(f"{expected} pairs of {TRAIN} with 0.400 <= similarity < 0.600, cosine of tfidf")


def test_a_clicked_bar_lists_its_pairs(app, measured):
    bars = facets_of(measured.result)[1].side.negative_counts.reshape(-1, 20).sum(axis=1)  # 0.02 wide, from -1 on
    place = 55 + int(bars[55:].argmax())  # the tallest from 0.1 on
    low, high = place / 50 - 1, place / 50 - 0.98

    click(app, measured, bar={"model": TEST, "kind": "negative", "low": low, "high": high, "at": 5})
    stretch = f"with {low:.3f} <= similarity < {high:.3f}"
    assert listed(app).startswith(f"{bars[place]} different pairs of {TEST} {stretch}")
    shown = app.dataframe[0].value
    assert set(shown["label"]) == {"different"} and len(shown) == bars[place] > 1


def test_a_clicked_cell_lists_its_pairs_and_what_is_chosen_afterwards_stays(app, measured):
    click(app, measured, index=20, cell={"model": TEST, "cell": "fp", "at": 7})  # the threshold 0.100
    assert f" different pairs of {TEST} with 0.100 <= similarity < 1.000" in listed(app)

    app.segmented_control(key="difficulty.band_kind").set_value("positive")
    rerun(app)
    assert f" similar pairs of {TEST} with 0.100 <= similarity < 1.000" in listed(app)


def test_what_was_clicked_last_counts(app, measured):
    bar = {"model": TRAIN, "kind": "all", "low": 0.2, "high": 0.22, "at": 9}
    click(app, measured, bar=bar, cell={"model": TEST, "cell": "tp", "at": 8})
    assert "0.200 <= similarity < 0.220" in listed(app)
    click(app, measured, bar=bar, cell={"model": TEST, "cell": "tp", "at": 10})
    assert f"similar pairs of {TEST}" in listed(app)


def test_phases_can_be_shown_and_one_that_goes_takes_its_band_along(app, measured):
    hard = f"{TRAIN} · hard"
    app.multiselect(key="difficulty.facets").set_value([hard, TEST])
    rerun(app)
    app.selectbox(key="difficulty.band_of").set_value(hard)
    app.slider(key="difficulty.band").set_value((0.0, 1.0))
    rerun(app)
    n_hard = next(facet.side.n_pairs for facet in facets_of(measured.result) if facet.name == hard)
    assert listed(app).startswith(f"{n_hard} pairs of {hard}")
    assert set(app.dataframe[0].value["phase"]) == {"hard"}

    app.multiselect(key="difficulty.facets").set_value([TEST])
    assert f"pairs of {TEST}" in listed(rerun(app))


def test_pages_of_a_large_band_follow_each_other(app):
    app.slider(key="difficulty.band").set_value((0.0, 1.0))
    rerun(app)
    first = app.dataframe[0].value
    paged = "".join(app.get("pagination")[0].proto.id.partition("difficulty.")[1:])  # a key ends its id
    app.session_state[paged] = 2
    second = rerun(app).dataframe[0].value

    assert len(first) == 100 and first["similarity"].min() >= second["similarity"].max()


def test_another_grey_zone_and_form_start_no_job(app, measured):
    n_jobs = len(list_jobs(measured.workspace))
    app.slider(key="difficulty.grey").set_value((0.1, 0.2))
    app.segmented_control(key="difficulty.form").set_value("Cumulative")
    rerun(app)

    assert len(list_jobs(measured.workspace)) == n_jobs
