"""The whole training job on the real bundled encoder, honest and with planted faults."""

import json

import pytest

from simtune_core.datasets import save_pairs
from simtune_core.errors import ConfigError, TrainingError, WorkspaceError
from simtune_core.jobs.context import Job
from simtune_core.training import recipe
from simtune_core.training.job import run
from tests.training.conftest import invented_pairs

TINY = {
    "method": "lora", "per_device_train_batch_size": 4, "evaluations": 1, "max_dev_pairs": 20, "r": 2,
    "max_steps": 3, "max_seq_length": 16, "target_modules": ["query"], "precision": "fp32",
}  # fmt: skip


class StopAtOnce(Job):
    """A job that has been asked to stop from the beginning."""

    @property
    def stop_requested(self):
        """Always."""
        return True


class StopAfterTwoSteps(Job):
    """A job that is asked to stop as soon as its second step is reported."""

    def progress(self, done, total, text=""):
        """Ask for the stop that the worker asks for on SIGTERM."""
        super().progress(done, total, text)
        if "step 2" in text:
            self._on_stop()


def train(workspace, config, job_type=Job, **params):
    with job_type(workspace.job(f"job-{config['method']}"), workspace) as job:
        return run({"train": "train", "dev": "dev", "base": "minilm", "config": config} | params, job)


def ledger_of(result):
    return {entry["name"]: entry for entry in result["ledger"]}


def stop_sentence(result):
    return next(item["message"] for item in result["findings"] if item["code"] == "T006")


def test_a_lora_run_does_what_was_asked_and_is_applied(lora_run):
    workspace, result, _ = lora_run
    ledger = ledger_of(result)
    assert [name for name, entry in ledger.items() if not entry["equal"]] == []
    assert ledger["learning_rate"]["ran"] == pytest.approx(5e-4)
    assert ledger["learning_rate_source"]["ran"] == "default for lora"
    assert ledger["phases"]["ran"] == {"easy": 24, "hard": 24}
    # 6 layers x (query, value) x r 4 x (384 in + 384 out)
    assert ledger["trainable_parameters"]["ran"] == 6 * 2 * 4 * (384 + 384)
    assert (result["status"], result["trained"], result["stopped"]) == ("applied", True, False)
    assert ledger["n_truncated"]["ran"] == 0  # of 32 tokens
    assert "T008" not in {item["code"] for item in result["findings"]}
    assert result["dev"]["n_pairs"] == 20
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    folder = workspace.model("lora-1")
    assert json.loads((folder / "ledger.json").read_text()) == result["ledger"]


def test_a_run_reports_curves_phases_and_the_untouched_baseline(lora_run):
    _, result, events = lora_run
    named = {}
    for event in events:
        named.setdefault((event.kind, event.name), []).append(event)
    assert [event.step for event in named["metric", "loss"]] == [1, 2, 3, 4, 5, 6]
    assert [event.phase for event in named["metric", "loss"]] == ["easy"] * 3 + ["hard"] * 3
    assert max(event.value for event in named["metric", "learning_rate"]) == pytest.approx(5e-4)
    assert len(named["metric", "grad_norm"]) == 6
    assert named["phase", "easy"][0].step == 0
    assert named["phase", "hard"][0].step == 3
    dev = named["metric", "dev_roc_auc"]
    assert [event.step for event in dev] == [0, 3, 6]
    assert dev[0].value == result["baseline_dev"]["roc_auc"]
    assert result["dev"]["roc_auc"] == max(event.value for event in dev[1:])


def test_the_saved_adapter_is_the_kept_step(lora_run):
    """The model that is loaded again scores on dev exactly what the run said of the weights it kept."""
    from simtune_core.datasets import load_pairs
    from simtune_core.encoders.catalogue import resolve_encoder
    from simtune_core.encoders.loading import load_model
    from simtune_core.training.dev import DevSample

    workspace, result, _ = lora_run
    precision = ledger_of(result)["precision"]["ran"]
    sample = DevSample(load_pairs(workspace, "dev"), n_pairs=20, seed=42, score_cut=0.6, precision=precision)
    again = sample.score(load_model(resolve_encoder(workspace, "lora-1")), step=result["dev"]["step"])
    assert again.as_dict() == pytest.approx(result["dev"])


def test_a_learning_rate_hard_coded_in_the_call_is_a_finding(sets, monkeypatch):
    honest = recipe._arguments

    def hard_coded(config, plan, folder):
        return honest(config.model_copy(update={"learning_rate": 2e-5}), plan, folder)

    monkeypatch.setattr(recipe, "_arguments", hard_coded)
    result = train(sets, {**TINY, "learning_rate": 5e-5})
    assert ledger_of(result)["learning_rate"] == {"name": "learning_rate", "asked": 5e-5, "ran": 2e-5, "equal": False}
    assert [item["message"] for item in result["findings"] if item["code"] == "T003"] == [
        "What ran is not what was asked. learning_rate: asked 5e-05, ran 2e-05.",
        "What ran is not what was asked. phases_reached: asked ['easy', 'hard'], ran ['easy'].",  # of two steps
    ]


def test_in_batch_negatives_are_never_a_text_of_their_own_batch(sets, monkeypatch):
    from simtune_core.datasets import load_pairs

    seen = []
    honest = recipe.sampler_of
    monkeypatch.setattr(recipe, "sampler_of", lambda plan: seen.extend(plan) or honest(plan))
    result = train(sets, {**TINY, "loss": "multiple_negatives_ranking"})
    frame = load_pairs(sets, "train").frame.query("label == 1")
    for batch in seen:
        texts = frame.iloc[list(batch.rows)][["sentence1", "sentence2"]].to_numpy().ravel().tolist()
        assert len(texts) == len(set(texts))
    assert sum(len(batch.rows) for batch in seen) == len(frame)
    assert [name for name, entry in ledger_of(result).items() if not entry["equal"]] == ["phases_reached"]  # two steps


def test_a_loss_that_is_no_number_stops_the_run_and_saves_nothing(sets, monkeypatch):
    honest = recipe.build_loss

    def broken(name, model):
        loss = honest(name, model)
        forward = loss.forward
        steps = iter([1.0, float("nan"), 1.0])
        loss.forward = lambda *inputs: forward(*inputs) * next(steps)
        return loss

    monkeypatch.setattr(recipe, "build_loss", broken)
    with pytest.raises(
        TrainingError, match=r"loss must stay finite, got nan at step 2;.* no checkpoint was made before it"
    ):
        train(sets, TINY)
    assert list(sets.models.iterdir()) == []


def test_texts_cut_shorter_than_the_base_reads_them_are_a_finding(sets):
    result = train(sets, {**TINY, "max_seq_length": 8, "max_steps": 1})
    (finding,) = (item for item in result["findings"] if item["code"] == "T008")
    # the sets hold 26 different texts, of which 12 have more than 6 tokens of their own
    assert ledger_of(result)["n_truncated"]["ran"] == 12
    assert finding["message"].startswith(
        "12 of 26 texts are longer than the 8 tokens that this run reads; the base reads 256."
    )


def test_a_run_stopped_before_its_first_score_claims_no_number(sets):
    result = train(sets, TINY, StopAtOnce, name="stopped-1")
    assert result["stopped"]
    assert ledger_of(result)["steps"]["ran"] == 1
    assert ledger_of(result)["weights_kept"]["ran"] == "step 1, where it was stopped, never scored on dev"
    assert (result["dev"]["step"], result["dev"]["roc_auc"], result["dev"]["spearman_cosine"]) == (1, None, None)
    assert result["baseline_dev"]["roc_auc"] > 0
    assert stop_sentence(result) == (
        "The run was stopped after step 1; the model holds the weights of step 1, which was never scored on dev: "
        "evaluate it before use."
    )
    assert "T004" not in {item["code"] for item in result["findings"]}
    card = (sets.model("stopped-1") / "README.md").read_text()
    assert "Stopped at step 1, before it was scored on `dev@v0001`" in card
    assert f"| roc_auc | {result['baseline_dev']['roc_auc']:.4f} | not defined |" in card


def test_a_run_stopped_after_a_score_holds_the_weights_of_the_best_scored_step(sets):
    """Dev is due after every step; stopped at step 2 before that, step 1 is the only one scored."""
    from simtune_core.datasets import load_pairs
    from simtune_core.encoders.catalogue import resolve_encoder
    from simtune_core.encoders.loading import load_model
    from simtune_core.training.dev import DevSample

    config = {**TINY, "evaluations": 3, "learning_rate": 0.01, "warmup_steps": 0}
    result = train(sets, config, StopAfterTwoSteps, name="stopped-2")
    assert (result["stopped"], ledger_of(result)["steps"]["ran"]) == (True, 2)
    best = 1
    assert stop_sentence(result) == (
        f"The run was stopped after step 2; the model holds the weights of step {best}, the best on dev until then."
    )
    sample = DevSample(load_pairs(sets, "dev"), n_pairs=20, seed=42, score_cut=0.6, precision="fp32")
    again = sample.score(load_model(resolve_encoder(sets, "stopped-2")), step=best)
    assert again.as_dict() == pytest.approx(result["dev"])


def test_a_stopped_head_holds_its_best_map(sets):
    result = train(sets, {"method": "head", "max_epochs": 2}, StopAtOnce, name="stopped-3")
    assert stop_sentence(result) == (
        "The run was stopped after pass 1; the model holds the best map on dev until then."
    )


def test_a_head_run_is_saved_checked_and_not_worse_on_dev(sets):
    result = train(sets, {"method": "head", "max_epochs": 3, "r": 8}, name="head-1")
    assert result["kind"] == "head"
    assert result["dev"]["roc_auc"] >= result["baseline_dev"]["roc_auc"]
    assert result["status"] == ("applied" if result["trained"] else "not trained")
    assert ledger_of(result)["passes"] == {"name": "passes", "asked": 12, "ran": 12, "equal": True}
    assert {"code": "T002", "severity": "info", "message": "r was set, but head does not use it."} in result["findings"]
    card = (sets.model("head-1") / "README.md").read_text()
    assert f"{result['dev']['roc_auc']:.4f}" in card


def test_records_shared_by_train_and_dev_are_counted(sets):
    result = train(sets, {"method": "head", "max_epochs": 1}, dev="train")
    (finding,) = (item for item in result["findings"] if item["code"] == "T001")
    assert finding["message"].startswith("16 records and 16 texts are in both train@v0001 and train@v0001")


def test_weak_labels_of_the_training_pairs_are_told(sets):
    weak = {"made_by": "import", "labels": {"weak": True, "words": "the same topic"}}
    save_pairs(sets, "ruled", invented_pairs("case:", 24), provenance=weak)
    result = train(sets, {"method": "head", "max_epochs": 1}, train="ruled")

    told = {item["code"]: item for item in result["findings"]}["weak_labels"]
    assert told["severity"] == "info"
    assert told["message"].startswith("ruled@v0001 has weak labels, made by a rule and by no person: the same topic.")


def test_texts_shared_under_other_ids_are_counted(sets):
    from simtune_core.datasets import load_pairs, save_pairs

    frame = load_pairs(sets, "train").frame
    for name in ("ours", "theirs"):
        ids = {f"id{side}": [f"{name}-{side}-{row}" for row in range(len(frame))] for side in (1, 2)}
        save_pairs(sets, name, frame.assign(**ids), provenance={"source": "invented"})
    result = train(sets, {"method": "head", "max_epochs": 1}, train="ours", dev="theirs")
    (finding,) = (item for item in result["findings"] if item["code"] == "T001")
    assert finding["message"].startswith("0 records and 16 texts are in both ours@v0001 and theirs@v0001")


@pytest.mark.parametrize(
    ("params", "error", "sentence"),
    [
        ({"base": "tfidf"}, TrainingError, "starts from an untuned transformer, got tfidf"),
        ({"method": "full"}, ConfigError, "method is asked for twice: full beside the settings and lora"),
        ({"name": "a/b"}, WorkspaceError, "A model id must be"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_any_work(sets, params, error, sentence):
    with pytest.raises(error, match=sentence):
        train(sets, TINY, **params)


def test_target_modules_that_fit_no_layer_are_refused_with_the_names_there_are(sets):
    with pytest.raises(TrainingError, match=r"which has dense, key, query, value; got q_proj"):
        train(sets, {**TINY, "target_modules": ["q_proj"]})
