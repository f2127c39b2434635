"""The whole path on the bundled sample, with real parts: from the mismatch of the easy pairs to a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.encoders.catalogue import BUNDLED, TFIDF
from simtune_core.encoders.config import EncodingConfig
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.jobs.states import JobStatus
from simtune_core.training.config import TrainingConfig
from simtune_core.workflows import requests
from simtune_core.workflows.curricula import load_pool
from simtune_core.workflows.data import load_sample
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import Workspace

TRAIN, DEV, TEST, EASY, RECORDS = "sample:train", "sample:dev", "sample:test", "sample_easy", "sample_records:train"
CURRICULUM = "demo_curriculum"
CUT_IN = EncodingConfig(encoder=TFIDF)  # the space whose bands the preset's are, and the page's first choice
PAIRS_PER_PHASE = 600  # what the sample's duplicate groups can fill
LORA_STEPS = 40  # enough to see the adapter move; a real run takes all pairs

Draw = Callable[[JobStatus], None]


@dataclass(frozen=True, slots=True)
class Demo:
    """What the walk found, job result by job result.

    Attributes:
        difficulty: The easy pairs against the test pairs.
        curriculum: The phases that were drawn.
        trained: The two trainings, head first.
        checks: The adapter checks of both models.
        evaluation: All models on the test pairs.
        findings: Every finding of every step.
    """

    difficulty: dict[str, Any]
    curriculum: dict[str, Any]
    trained: tuple[dict[str, Any], ...]
    checks: tuple[dict[str, Any], ...]
    evaluation: dict[str, Any]
    findings: list[dict[str, Any]]

    @property
    def verdicts(self) -> dict[str, str | None]:
        """Return the verdict of every model against the baseline, by name."""
        return {model["encoder"]: model["verdict"] for model in self.evaluation["models"] if model["verdict"]}

    @property
    def verdict(self) -> str:
        """Word the verdict on the head in one sentence."""
        head = self.trained[0]["model_id"]
        return f"The head {head} against {BUNDLED} on {self.evaluation['set']}: {self.verdicts[head]}."

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {**asdict(self), "findings": [], "verdicts": self.verdicts, "verdict": self.verdict}


def run_demo(workspace: Workspace, draw: Draw | None = None) -> Demo:
    """Walk the whole path; equal work that is done already is not done twice, trainings are.

    Args:
        workspace: Where the sample, the models and the results go.
        draw: Called with the status of the job that runs.

    Raises:
        JobError: If a step fails; the message is its cause.
    """
    load_sample(workspace)
    encoding, config = EncodingConfig(), EvaluationConfig()
    findings: list[dict[str, Any]] = []

    def answer(request: requests.Request, *, reuse: bool = True) -> dict[str, Any]:
        _, result = run_to_end(workspace, request, on_update=draw, reuse=reuse)
        findings.extend(result.get("findings", []))
        return {key: value for key, value in result.items() if key != "findings"}

    difficulty = answer(requests.difficulty_request(workspace, EASY, TEST, encoding, score_cut=config.score_cut))
    curriculum = _curriculum(workspace, draw, findings)
    wishes = (TrainingConfig(method="head"), TrainingConfig(method="lora", max_steps=LORA_STEPS))
    trained = tuple(
        answer(
            requests.train_request(
                workspace, TRAIN, DEV, base=BUNDLED, config=wish.model_dump(mode="json", exclude_unset=True), name=None
            ),
            reuse=False,
        )
        for wish in wishes
    )
    models = [result["model_id"] for result in trained]
    checks = tuple(answer(requests.diagnose_request(workspace, model)) for model in models)
    evaluation = answer(
        requests.evaluate_request(
            workspace,
            TEST,
            [BUNDLED, *models],  # what the evaluation page compares by default, so that it shows this very job
            threshold_from=DEV,
            precision=encoding.precision,
            config=config.model_dump(mode="json"),
        )
    )
    return Demo(difficulty, curriculum, trained, checks, evaluation, findings)


def _curriculum(workspace: Workspace, draw: Draw | None, findings: list[dict[str, Any]]) -> dict[str, Any]:
    """Count candidates and draw three phases; a second demo in one workspace shows the set that is there."""
    counting = requests.candidates_request(workspace, RECORDS, CUT_IN, config=CandidatesConfig(), test=TEST)
    counted, _ = run_to_end(workspace, counting, on_update=draw)
    half = {"n_positives": PAIRS_PER_PHASE // 2, "n_negatives": PAIRS_PER_PHASE // 2}
    phases = load_pool(workspace, counted.id).presets["cumulative"]
    settings = CurriculumConfig(phases=tuple(phase.model_copy(update=half) for phase in phases))
    request = requests.curriculum_request(workspace, counted.id, settings.model_dump(mode="json"), CURRICULUM)
    _, result = run_to_end(workspace, request, on_update=draw)
    findings.extend(result.get("findings", []))
    return {key: value for key, value in result.items() if key != "findings"}
