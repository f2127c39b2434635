"""Tests of encoders that were computed elsewhere: what they give, what they do not cover, and every bad file."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.datasets import load_pairs, save_pairs, save_records
from simtune_core.difficulty.job import run as difficulty
from simtune_core.encoders.catalogue import list_encoders, resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.import_job import run
from simtune_core.encoders.imported import list_imported, read_imported
from simtune_core.encoders.intake import layout_of, read_scores, read_vectors
from simtune_core.encoders.loading import load_model, precision_that_ran
from simtune_core.encoders.scoring import score_pairs
from simtune_core.errors import DataFaultError, EncoderError
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.jobs.context import Job
from simtune_core.jobs.kinds import needs_device
from simtune_core.store.verifying import wrong_files
from simtune_core.workflows import requests
from simtune_core.workflows.preparing import anywhere, encoder_columns, import_encoder_request, stored_upload
from simtune_core.workflows.retention import delete, deletion_plan
from simtune_core.workflows.space import space_of
from tests.workflows.frames import pairs_frame

TEXTS = ["mail server down", "printer jam", "vpn is slow", "password reset"]
VECTORS = np.array([[3, 4, 0], [0, 1, 0], [1, 0, 1], [0, 0, 2]], dtype=np.float32)


def parquet(path, vectors=VECTORS, texts=TEXTS, **more):
    rows = vectors.tolist() if isinstance(vectors, np.ndarray) else vectors
    pq.write_table(pa.table({"text": texts, "embedding": pa.array(rows, pa.list_(pa.float32())), **more}), path)
    return path


def bring(workspace, path, name="ada", dataset=None, **columns):
    request = import_encoder_request(workspace, anywhere(str(path)), name, columns=columns, dataset=dataset)
    with Job(workspace.jobs / f"import-{name}", workspace) as job:
        return json.loads(json.dumps(run(request.params, job), allow_nan=False))


@pytest.fixture
def ada(workspace, tmp_path):
    bring(workspace, parquet(tmp_path / "ada.parquet"))
    return resolve_encoder(workspace, "ada")


def test_vectors_of_minilm_brought_in_again_score_as_minilm_does(workspace, minilm, tmp_path):
    save_pairs(workspace, "some", pairs_frame(30), provenance={})
    pairs = load_pairs(workspace, "some")
    texts = pairs.unique_texts()
    vectors = embed(workspace, minilm, texts, precision="fp32").vectors
    bring(workspace, parquet(tmp_path / "own.parquet", 3.7 * vectors, texts), name="own")

    own = resolve_encoder(workspace, "own")
    expected = score_pairs(workspace, minilm, [pairs], precision="fp32")[0]
    assert np.abs(score_pairs(workspace, own, [pairs])[0] - expected).max() < 1e-6
    request = requests.difficulty_request(
        workspace, "some", None, requests.EncodingConfig(encoder="own", precision="fp32"), score_cut=0.6
    )
    with Job(workspace.jobs / "difficulty", workspace) as job:
        (side,) = difficulty(request.params, job)["sides"]
    assert side["roc_auc"] == pytest.approx(roc_auc(expected, pairs.labels()), abs=1e-6)


def test_scores_of_pairs_are_an_encoder_whichever_text_comes_first(workspace, tmp_path):
    frame = pairs_frame(40)
    frame["ada"] = np.random.default_rng(3).random(40)
    frame.to_csv(tmp_path / "scored.csv", index=False)
    made = bring(workspace, tmp_path / "scored.csv", scores="ada")
    turned = frame.drop(columns="ada").rename(columns={"sentence1": "sentence2", "sentence2": "sentence1"})
    for name, each in (("some", frame.drop(columns="ada")), ("turned", turned)):
        save_pairs(workspace, name, each, provenance={})
    sets = [load_pairs(workspace, name) for name in ("some", "turned")]

    one, other = score_pairs(workspace, resolve_encoder(workspace, "ada"), sets)
    assert (made["kind"], made["scale"], made["n"]) == ("scores", "[0, 1]", 40)
    assert one == pytest.approx(frame["ada"].to_numpy(), abs=1e-7)
    assert np.array_equal(one, other)
    with Job(workspace.jobs / "difficulty", workspace) as job:
        params = {"set": "some", "against": None, "encoder": "ada", "precision": "auto", "score_cut": 0.6}
        (side,) = difficulty(params, job)["sides"]
    assert side["roc_auc"] == pytest.approx(roc_auc(frame["ada"].to_numpy(np.float32), frame["label"].to_numpy()))


def test_an_imported_encoder_is_listed_sized_checked_and_deleted_like_a_model(workspace, ada):
    assert list_encoders(workspace) == ["minilm", "tfidf", "ada"]
    manifest = read_imported(workspace.model("ada"))
    assert (manifest.n, manifest.dim, manifest.source) == (4, 3, "ada.parquet")
    assert manifest.columns == {"vectors": "embedding", "text": "text"}
    assert [each.model_id for each in list_imported(workspace)] == ["ada"]
    assert "ada" in {item.name for item in space_of(workspace).items if item.kind == "model"}
    assert not [fault for fault in wrong_files(workspace) if fault.code == "model_damaged"]

    delete(workspace, deletion_plan(workspace, "model", "ada"), with_dependents=True)
    assert list_encoders(workspace) == ["minilm", "tfidf"]


def test_it_needs_no_device_and_no_model(workspace, ada):
    save_pairs(workspace, "some", pairs_frame(4), provenance={})
    encoding = requests.EncodingConfig(encoder="ada")
    request = requests.difficulty_request(workspace, "some", None, encoding, score_cut=0.6)
    both = requests.evaluate_request(
        workspace, "some", ["ada", "minilm"], threshold_from=None, precision="auto", config={}
    )

    assert not needs_device(request.kind, request.params)
    assert needs_device(both.kind, both.params)
    assert precision_that_ran([ada], "auto") == "fp32"
    with pytest.raises(EncoderError, match="ada holds vectors computed elsewhere; there is no model to load"):
        load_model(ada)
    with pytest.raises(EncoderError, match="ada needs no embedding"):
        requests.embed_request(workspace, "some", encoding)


def test_training_and_diagnosing_refuse_it_with_a_sentence(workspace, ada):
    for name, label in (("one", 1), ("two", 0)):
        save_pairs(workspace, name, pairs_frame(4, label=label), provenance={})
    with pytest.raises(EncoderError, match="Training starts from a transformer"):
        requests.train_request(workspace, "one", "two", base="ada", config={}, name=None)
    with pytest.raises(EncoderError, match="ada is no model tuned here: its vectors were computed elsewhere"):
        requests.diagnose_request(workspace, "ada")


def test_texts_and_pairs_that_are_not_covered_are_counted_with_a_sample(workspace, ada, tmp_path):
    with pytest.raises(EncoderError, match="2 of 3 texts have no vector in ada, such as 'new laptop'"):
        embed(workspace, ada, ["printer jam", "new laptop", "screen", "screen"])
    frame = pairs_frame(6)
    frame.assign(rating=0.5).head(4).to_csv(tmp_path / "few.csv", index=False)
    bring(workspace, tmp_path / "few.csv", name="few", scores="rating")
    save_pairs(workspace, "some", frame, provenance={})
    few = resolve_encoder(workspace, "few")
    with pytest.raises(EncoderError, match="2 of 6 pairs of some@v0001 have no score in few, such as"):
        score_pairs(workspace, few, [load_pairs(workspace, "some")])
    with pytest.raises(EncoderError, match="few holds scores of pairs and no vectors"):
        embed(workspace, few, ["printer jam"])


def test_vectors_come_back_at_unit_length_in_the_order_asked(workspace, ada):
    got = embed(workspace, ada, ["password reset", "mail server down", "password reset"]).vectors

    assert got.dtype == np.float32
    assert got == pytest.approx(np.array([[0, 0, 1], [0.6, 0.8, 0], [0, 0, 1]]))


@pytest.mark.parametrize("form", ["npz", "npz by name", "safetensors", "fixed-size lists", "half precision"])
def test_every_form_of_file_gives_the_same_vectors(tmp_path, form):
    named = dict(zip(TEXTS, VECTORS, strict=True))
    path = tmp_path / f"v.{'npz' if 'npz' in form else 'safetensors' if form == 'safetensors' else 'parquet'}"
    if form == "npz":
        np.savez(path, vectors=VECTORS, texts=np.array(TEXTS))
    elif form == "npz by name":
        np.savez(path, **named)
    elif form == "safetensors":
        save_file(named, path)
    elif form == "fixed-size lists":
        column = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), 3)
        pq.write_table(pa.table({"text": TEXTS, "v": column}), path)
    else:
        lists = pa.array(list(VECTORS.astype(np.float16)), pa.list_(pa.float16()))
        pq.write_table(pa.table({"text": TEXTS, "v": lists}), path)

    read = read_vectors(path, path.name)
    assert dict(zip(read.texts, read.vectors.tolist(), strict=True)) == {
        text: vector.tolist() for text, vector in named.items()
    }
    assert layout_of(path, path.name).vectors


def test_vectors_by_record_id_take_the_texts_of_a_dataset(workspace, tmp_path):
    records = pd.DataFrame({"id": ["007", "8", "9"], "text": TEXTS[:3]})
    save_records(workspace, "tickets", records, provenance={})
    path = tmp_path / "ids.parquet"
    pq.write_table(pa.table({"number": ["8", "007", "10"], "v": VECTORS[:3].tolist()}), path)
    made = bring(workspace, path, id="number", dataset="tickets")

    assert (made["n"], made["columns"]) == (2, {"vectors": "v", "id": "number"})
    assert "1 of 3 vectors are of ids that the dataset has not" in made["findings"][0]["message"]
    vectors = embed(workspace, resolve_encoder(workspace, "ada"), TEXTS[:2]).vectors
    assert vectors == pytest.approx(np.array([[0, 1, 0], [0.6, 0.8, 0]]))
    with pytest.raises(DataFaultError, match="name the dataset whose records have them"):
        read_vectors(path, path.name, record_id="number")


@pytest.mark.parametrize(
    ("vectors", "texts", "said"),
    [
        ([[1, 2], [1, float("nan")], [1, 1]], "abc", r"1 of 3 rows of v\.parquet have a vector with NaN .*\(rows 2\)"),
        ([[1, 2], [0, 0], [0, 0]], "abc", r"2 of 3 rows of v\.parquet have a vector of zeros.*\(rows 2, 3\)"),
        ([[1, 2], [1, 2], [1]], "abc", r"1 of 3 rows .* another length than the others' 2 numbers \(rows 3\)"),
        ([[1, 2], None, [1, 1]], "abc", r"1 of 3 rows of v\.parquet have no vector \(rows 2\)"),
        ([[1, 2], [2, 1], [2, 2]], "aba", r"^1 text has more than one vector in v\.parquet, rows 1 and 3 first"),
        ([[1, 2], [2, 1], [1, 2]], ["a", None, " "], r"2 of 3 rows of v\.parquet have no text \(rows 2, 3\)"),
        ([], [], "has no rows"),
    ],
)
def test_bad_vectors_are_refused_with_their_rows(tmp_path, vectors, texts, said):
    path = parquet(tmp_path / "v.parquet", vectors, pa.array(list(texts), pa.string()))
    with pytest.raises(DataFaultError, match=said):
        read_vectors(path, path.name)


def test_a_text_that_repeats_with_the_same_vector_counts_once(tmp_path):
    path = parquet(tmp_path / "v.parquet", VECTORS[[0, 1, 0]], ["a", "b", "a"])
    read = read_vectors(path, path.name)

    assert read.texts == ["a", "b"]
    assert read.notes == ("1 rows repeat a text with the same vector and count once.",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b,ada\nx,y,0.5\nx,z,high\n", r"1 of 2 rows of s\.csv have no number in 'ada' \(rows 3\)"),
        ("a,b,ada\nx,y,0.5\nx,z,1.5\n", r"outside \[-1, 1\] \('ada' runs from 0\.5 to 1\.5; rescale it\) \(rows 3\)"),
        ("a,b,ada\nx,y,0.5\ny,x,0.6\n", r"1 pair has more than one score in s\.csv, rows 1 and 2 first"),
        ("a,b,ada\nx,,0.5\n", "1 of 1 rows of s.csv have an empty text"),
        ("a,c,ada\nx,y,0.5\n", r"has no column for sentence2=b; it has: a, c, ada"),
    ],
)
def test_bad_scores_are_refused_with_their_rows(content, said):
    with pytest.raises(DataFaultError, match=said):
        read_scores(content.encode(), "s.csv", score="ada", columns="sentence1=a,sentence2=b")


def test_files_that_are_no_vectors_are_a_sentence(tmp_path):
    texts = pa.table({"text": TEXTS, "other": TEXTS})
    pq.write_table(texts, tmp_path / "flat.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "broken.npz").write_bytes(b"PK no")
    (tmp_path / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0no")
    np.savez(tmp_path / "objects.npz", vectors=np.array([[1.0]]), texts=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "short.npz", vectors=VECTORS, texts=np.array(TEXTS[:2]))
    said = {
        "flat.parquet": "say which column holds the vectors", "broken.parquet": "cannot be read as Parquet",
        "broken.npz": "cannot be read as .npz", "broken.safetensors": "cannot be read as safetensors",
        "objects.npz": "must hold plain arrays", "short.npz": "got 2 in 'texts' for 4", "notes.txt": "must come as",
    }  # fmt: skip
    for name, sentence in said.items():
        with pytest.raises(DataFaultError, match=sentence):
            read_vectors(tmp_path / name, name)


def test_a_changed_file_of_an_encoder_is_refused(workspace, ada):
    file = workspace.model("ada") / "vectors.safetensors"
    tensors = load_file(file)
    save_file(tensors | {"vectors": tensors["vectors"] * np.float32(-1)}, file)

    with pytest.raises(EncoderError, match=r"vectors\.safetensors is not the file that was saved"):
        resolve_encoder(workspace, "ada")


def test_names_of_other_encoders_and_unknown_roles_are_refused(workspace, ada, tmp_path):
    source = anywhere(str(parquet(tmp_path / "other.parquet", 2 * VECTORS)))
    for name in ("ada", "minilm", "tfidf"):
        with pytest.raises(EncoderError, match=f"'{name}' is taken by another encoder"):
            import_encoder_request(workspace, source, name, columns={})
    with pytest.raises(DataFaultError, match="got 'vector'"):
        import_encoder_request(workspace, source, "new", columns={"vector": "v"})


def test_an_upload_is_stored_under_its_hash_and_gone_when_it_is_an_encoder(workspace, tmp_path):
    content = parquet(tmp_path / "v.parquet").read_bytes()
    source = stored_upload(workspace, content, "../../x.parquet")
    request = import_encoder_request(workspace, source, "ada", columns={})

    assert source.path.parent == workspace.data / "uploads"
    assert source.name == "x.parquet"
    with Job(workspace.jobs / "import", workspace) as job:
        run(request.params, job)
    assert not source.path.exists()
    assert read_imported(workspace.model("ada")).source == "x.parquet"


def test_the_columns_that_could_be_scores_or_vectors_are_offered_likeliest_first(workspace, tmp_path):
    scored = b"id,left,right,label,ada\n1,a b,c d,1,0.25\n2,e f,g h,0,-0.5\n"
    offered = encoder_columns(stored_upload(workspace, scored, "s.csv"))
    assert list(offered) == ["scores"]
    assert offered["scores"]["scores"][0] == "ada"
    assert set(offered["scores"]["sentence1"]) == {"id", "left", "right", "label", "ada"}

    assert encoder_columns(anywhere(str(parquet(tmp_path / "v.parquet"))))["vectors"] == {
        "vectors": ["embedding"],
        "names": ["text"],
    }
    with pytest.raises(DataFaultError, match="holds no column of vectors"):
        encoder_columns(stored_upload(workspace, b"a,b\n1,2\n", "few.csv"))


def test_the_command_brings_an_encoder_in(workspace, tmp_path):
    path = parquet(tmp_path / "v.parquet")
    arguments = ["import-encoder", str(path), "--vectors", "embedding", "--text", "text", "--workspace"]
    said = CliRunner().invoke(app, [*arguments, str(workspace.root), "--name", "ada"])

    assert said.exit_code == 0, said.output
    assert "ada: vectors of 4 texts, 3 numbers each, at unit length." in said.stdout
    shutil.rmtree(workspace.model("ada"))
    again = CliRunner().invoke(app, [*arguments[:2], "--text", "no", "--workspace", str(workspace.root), "--name", "b"])
    assert again.exit_code == 1
    assert "has no column 'no' of texts or ids" in again.stderr
