"""The import job: a real process reads the file, saves what is whole, or ends with the faults."""

import pytest

from simtune_core.datasets import list_datasets, load_pairs, load_records
from simtune_core.errors import JobError
from simtune_core.importing.options import ImportOptions
from simtune_core.importing.sources import ImportSource
from simtune_core.jobs.context import Job
from simtune_core.jobs.launcher import read_job
from simtune_core.preparing.importing_job import run
from simtune_core.workflows import running
from simtune_core.workflows.importing import import_request, questions_from, refusal, unanswered

RECORDS = "id,text\n1,printer\n2,\n3,vpn\n"
OPTIONS = ImportOptions(columns={"id": ("id",), "text": ("text",)})


@pytest.fixture
def source(workspace):
    """Return a function that writes a file into the workspace and returns it as a source."""

    def written(content, name="mine.csv"):
        path = workspace.data / name
        path.write_text(content)
        return ImportSource(name, path=path)

    return written


@pytest.fixture
def job(workspace, tmp_path):
    with Job(tmp_path / "job", workspace) as started:
        yield started


def test_a_job_of_its_own_process_saves_the_dataset_and_tells_its_progress(workspace, source):
    rows = "".join(f"{number},text {number}\n" for number in range(300))
    mine = source(f"id,text\n{rows}")
    request = import_request(workspace, mine, OPTIONS, "mine")
    status, result = running.run_to_end(workspace, request, reuse=False)

    assert (status.state, status.text, status.done) == ("done", "saved", 2)
    assert (result["dataset"], result["n_saved"], result["faults"]) == ("mine@v0001", 300, [])
    assert load_records(workspace, "mine").frame["id"].tolist() == [str(number) for number in range(300)]
    told = list_datasets(workspace)[0].manifest["provenance"]
    assert (told["job"], told["source_sha256"]) == (status.id, mine.sha256())
    assert not read_job(workspace, status.id).device


def test_faults_end_the_job_without_a_dataset_until_the_rows_are_dropped(workspace, source, job):
    mine = source(RECORDS)
    told = run(import_request(workspace, mine, OPTIONS, "mine").params, job)
    assert told["dataset"] is None and list_datasets(workspace) == []
    assert told["faults"] == [{"row": 3, "column": "text", "message": "the text is empty"}]
    assert refusal(told).startswith("1 of 3 rows have a fault: row 3, text: the text is empty.")

    dropping = OPTIONS.with_changes(drop_faulty=True)
    told = run(import_request(workspace, mine, dropping, "mine").params, job)
    assert (told["dataset"], told["n_saved"]) == ("mine@v0001", 2)
    assert "rows_dropped" in [found["code"] for found in told["findings"]]
    again = run(import_request(workspace, mine, dropping, "mine").params, job)
    assert (told["existed"], again["existed"], again["dataset"]) == (False, True, "mine@v0001")


def test_what_the_whole_file_asks_for_is_told(workspace, source, job):
    mine = source("a,b,same\nx,y,yes\nz,w,no\n")
    options = ImportOptions(kind="pairs", columns={"sentence1": "a", "sentence2": "b", "label": "same"})
    told = run(import_request(workspace, mine, options, "mine").params, job)
    assert unanswered(told) == ["label"]
    asked = questions_from(told)
    assert asked.asks_labels and {each.value: each.meaning for each in asked.labels} == {"yes": 1, "no": 0}

    answered = options.with_changes(labels={"yes": 1, "no": 0})
    told = run(import_request(workspace, mine, answered, "mine").params, job)
    assert unanswered(told) == []
    assert load_pairs(workspace, told["dataset"]).labels().tolist() == [1, 0]


def test_a_dry_run_saves_nothing(workspace, source, job):
    told = run(import_request(workspace, source("id,text\n1,a\n"), OPTIONS, "mine", dry_run=True).params, job)
    assert (told["dataset"], told["n_whole"], list_datasets(workspace)) == (None, 1, [])


def test_a_file_that_was_changed_or_removed_meanwhile_is_a_sentence(workspace, source, job):
    mine = source("id,text\n1,a\n")
    request = import_request(workspace, mine, OPTIONS, "mine")
    mine.path.write_text("id,text\n1,other\n")
    with pytest.raises(JobError, match=r"mine\.csv was changed after"):
        run(request.params, job)
    mine.path.unlink()
    with pytest.raises(JobError, match=r"mine\.csv is not there any more"):
        run(request.params, job)


def test_a_job_that_is_asked_to_stop_while_it_reads_saves_nothing(workspace, source, job):
    request = import_request(workspace, source("id,text\n1,a\n"), OPTIONS, "mine")
    job._on_stop()
    with pytest.raises(JobError, match="The import was stopped; nothing was saved"):
        run(request.params, job)
    assert list_datasets(workspace) == []
