"""The map from request to rows: a real job, what a page reads of it, and the section on screen."""

import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from simtune_core.datasets import load_pairs, save_pairs, save_records
from simtune_core.difficulty.map_points import OUTCOMES
from simtune_core.difficulty.projection import ProjectionConfig
from simtune_core.difficulty.regions import on_grid
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.errors import DataFaultError, EncoderError
from simtune_core.figures.maps import Colouring, MapLayer, side_by_side
from simtune_core.workflows.maps import HOVER_CHARACTERS, colourings, hover_texts, map_request, read_map
from simtune_core.workflows.running import job_of, run_to_end
from simtune_core.workspace import SAMPLE, VARIABLE, open_workspace
from tests.walk import command
from tests.workflows.frames import pairs_frame
from ui.point_map import MapDrawing, map_data, packed

EVIL = "![x](//evil/x.png) <b>"
APP = """
import streamlit as st
from ui.map_view import map_section
from ui.session import current_workspace
map_section(current_workspace(), st.session_state["set"], None, "tfidf")
st.text("the rest of the page")
"""


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """Return a workspace with the finished map of 48 pairs in TF-IDF and MiniLM, and the job's id."""
    workspace = open_workspace(tmp_path_factory.mktemp("mapped") / "workspace")
    frame = pairs_frame(48, split="train").assign(phase="easy", category1="office", category2=["office", EVIL] * 24)
    frame.loc[0, "sentence1"] = EVIL
    save_pairs(workspace, "pairs", frame, provenance={})
    save_records(workspace, "few", pd.DataFrame({"id": ["1", "2", "3"], "text": ["a b", "c d", "e f"]}), provenance={})
    embed(workspace, resolve_encoder(workspace, "minilm"), load_pairs(workspace, "pairs").unique_texts())
    job, _ = run_to_end(workspace, map_request(workspace, ["pairs"], ["tfidf", "minilm"], of="pairs"))
    return workspace, job.id


@pytest.fixture
def screen(mapped, monkeypatch):
    """Return a function that shows the section for a set, with a state of the session."""
    workspace, _ = mapped
    monkeypatch.setenv(VARIABLE, str(workspace.root))

    def shown(name, **state):
        app = AppTest.from_string(APP, default_timeout=60)
        for key, value in {"set": name, **state}.items():
            app.session_state[key] = value
        return app.run()

    return shown


PAIRS_SHOWN = {"difficulty.map_of": "pairs", "difficulty.map_second": "minilm"}


def test_the_result_tells_trust_errors_and_change_and_is_json(mapped):
    drawn = read_map(*mapped)
    result = drawn.result
    json.dumps(result, allow_nan=False)

    assert (result["n_points"], result["n_all"], result["of"]) == (48, 48, "pairs")
    assert [each["encoder"] for each in result["maps"]] == ["tfidf", "minilm"]
    for place, each in enumerate(result["maps"]):
        labels, cosines = drawn.points["label"], drawn.points[f"cosine{place}"]
        called = cosines >= each["threshold"]
        assert each["outcomes"]["false positive"] == int((called & (labels == 0)).sum())
        assert sum(each["outcomes"].values()) == 48
    assert sum(result["change"]["n_kept"]) == 48
    kept = drawn.points["kept"].to_numpy()
    assert result["change"]["mean_kept"] == pytest.approx(kept.mean())
    both = [len({*a} & {*b}) for a, b in zip(*drawn.neighbours, strict=True)]
    assert kept.tolist() == both


def test_an_equal_request_is_answered_by_the_job_that_is_there(mapped):
    workspace, job_id = mapped
    again = map_request(workspace, ["pairs@v0001", "pairs"], ["tfidf", "minilm", "tfidf"], of="pairs")
    other = map_request(workspace, ["pairs"], ["tfidf"], of="pairs", config=ProjectionConfig(seed=1))

    assert job_of(workspace, again).id == job_id
    assert job_of(workspace, other) is None


def test_rows_of_points_are_those_of_the_dataset(mapped):
    drawn = read_map(*mapped)
    found = drawn.rows(np.array([3, 0]))
    given = pairs_frame(48)

    assert found["sentence2"].tolist() == given["sentence2"].iloc[[3, 0]].tolist()
    assert found["sentence1"].tolist() == [given["sentence1"][3], EVIL]
    assert found["label"].tolist() == ["different", "similar"]
    assert found["split"].tolist() == ["train", "train"]
    assert set(found["outcome, minilm"]) <= set(OUTCOMES)
    assert "sets" not in found


def test_the_neighbours_of_a_point_say_which_are_near_in_both_spaces(mapped):
    drawn = read_map(*mapped)
    point = int(drawn.most_changed(1)[0])
    first, second = (drawn.nearest_rows(point, place) for place in (0, 1))

    assert drawn.points["kept"].min() == drawn.points["kept"][point]
    assert first["in both"].sum() == second["in both"].sum() == drawn.points["kept"][point]
    assert len(first) == 10


def test_only_what_differs_between_points_can_colour_them(mapped):
    offered = colourings(read_map(*mapped))

    assert list(offered) == [
        "label", "category", "errors of tfidf", "cosine, tfidf", "errors of minilm", "cosine, minilm",
        "neighbourhood change",
    ]  # fmt: skip
    assert offered["label"].counts.tolist() == [24, 24]
    assert offered["errors of tfidf"].names == ("true negative", "true positive", "false positive", "false negative")
    assert offered["errors of tfidf"].counts.sum() == 48


def test_texts_for_the_mouse_are_short_and_one_a_point(mapped):
    texts = hover_texts(read_map(*mapped))

    assert len(texts) == 48
    assert texts[0] == f"office\n{EVIL}\nprinter is broken, case 0"
    assert texts[1].startswith("two categories\n")
    assert max(len(text.partition("\n")[2]) for text in texts) <= 121


@pytest.mark.parametrize(
    ("sets", "encoders", "of", "words"),
    [
        (["few"], ["tfidf"], "records", r"too few for UMAP \(needs 20\)"),
        (["few"], ["tfidf"], "pairs", "needs a pair set"),
        ([], ["tfidf"], "records", "one set or of two"),
    ],
)
def test_what_cannot_be_mapped_is_refused_before_a_job_starts(mapped, sets, encoders, of, words):
    with pytest.raises(DataFaultError, match=words):
        map_request(mapped[0], sets, encoders, of=of)


def test_the_command_tells_the_same_numbers_as_the_page(mapped):
    workspace, job_id = mapped
    encoders = ("--encoder", "tfidf", "--against-encoder", "minilm")
    said = command(workspace, "map", "pairs", "--of", "pairs", *encoders)

    assert said["result"]["job"] == job_id
    assert said["result"]["change"] == read_map(*mapped).result["change"]
    refused = command(workspace, "map", "few", "--encoder", "tfidf", fails=True)
    assert "too few for UMAP (needs 20)" in refused["error"]["message"]


def test_no_encoder_is_refused(mapped):
    with pytest.raises(EncoderError, match="got 0"):
        map_request(mapped[0], ["pairs"], [])


def test_three_rows_are_a_sentence_and_the_rest_of_the_page_works(screen):
    app = screen("few")

    assert not app.exception
    assert "too few for UMAP (needs 20)" in app.code[0].value
    assert app.text[-1].value == "the rest of the page"


def test_a_map_that_nobody_drew_is_a_button(screen):
    app = screen("pairs")

    assert not app.exception
    assert [button.label for button in app.button] == ["Draw the map"]
    assert not app.dataframe


def test_a_finished_map_is_there_at_once_with_its_change(screen):
    app = screen("pairs", **PAIRS_SHOWN)

    assert not app.exception
    assert not app.button
    assert [part.value for part in app.subheader] == ["Neighbourhoods that changed"]
    assert app.text[-1].value == "the rest of the page"
    assert all(element.proto.alt for kind in ("plotly_chart", "arrow_data_frame") for element in app.get(kind))
    markdown = " ".join(str(part.value) for kind in ("markdown", "caption") for part in app.get(kind))
    assert "](" not in markdown


def test_an_outline_gives_its_rows_and_a_cleared_one_none(screen, mapped):
    drawn = read_map(*mapped)
    half = [[0, 0], [32_767, 0], [32_767, 65_535], [0, 65_535]]
    inside = drawn.within(1, half)
    assert 0 < len(inside) < 48
    view = "difficulty.map_view"
    app = screen("pairs", **PAIRS_SHOWN, **{view: {"region": {"layer": 1, "corners": half, "at": 1}}})

    assert f"{len(inside)} pairs selected" in [part.value for part in app.subheader]
    assert shown(app, "selected on the map")["sentence1"].tolist() == drawn.rows(inside)["sentence1"].tolist()
    app.session_state[view] = {"region": {"layer": 0, "corners": [], "at": 2}}
    assert [part.value for part in app.run().subheader] == ["Neighbourhoods that changed"]


@pytest.mark.parametrize(
    "region",
    [
        {"layer": 7, "corners": [[0, 0], [1, 0], [1, 1]], "at": 1},
        {"layer": 0, "corners": [[0, 0]] * 200, "at": 1},
        {"layer": 0, "corners": [[0, "x"], [1, 0], [1, 1]], "at": 1},
        {"at": 1},
    ],
)
def test_an_outline_that_is_none_selects_nothing(screen, region):
    app = screen("pairs", **PAIRS_SHOWN, **{"difficulty.map_view": {"region": region}})

    assert not app.exception
    assert [part.value for part in app.subheader] == ["Neighbourhoods that changed"]


def test_a_clicked_point_shows_its_texts_as_text_and_its_neighbours(screen, mapped):
    app = screen("pairs", **PAIRS_SHOWN, **{"difficulty.map_view": {"point": {"place": 0, "at": 1}}})

    assert not app.exception
    assert EVIL in [part.value for part in app.text]
    nearest = read_map(*mapped).nearest_rows(0, 1)
    assert shown(app, "Nearest pairs in minilm")["sentence1"].tolist() == nearest["sentence1"].tolist()


def test_two_maps_of_20_000_points_with_their_texts_are_under_600_kb():
    random = np.random.default_rng(0)
    layers = [MapLayer(name, on_grid(random.normal(size=(20_000, 2)))) for name in ("one", "other")]
    colouring = Colouring("change", (), np.full(20_000, -1, np.int32), random.random(20_000).astype(np.float32))
    words = pd.read_parquet(SAMPLE / "records.parquet")["text"].str.slice(0, HOVER_CHARACTERS // 20_000)
    texts = packed(list(random.permutation(np.resize(words, 20_000))))
    drawing = MapDrawing(side_by_side(layers, colouring), "map", texts, [], "change", "texts")

    assert len(json.dumps(map_data(drawing, key="map", alt="A map"))) < 600_000


def shown(app, words):
    """Return the table whose description holds these words."""
    (found,) = [table for table in app.dataframe if words in table.proto.alt]
    return found.value
