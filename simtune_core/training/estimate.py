"""How long a training takes on a CPU, roughly, before it is started. Measures nothing and starts nothing."""

from __future__ import annotations

from simtune_core.training.config import HEAD_PENALTIES, TrainingConfig

# MiniLM, texts of up to 128 tokens, two cores; the measurements are in docs/training.md.
_PAIRS_PER_SECOND = {"lora": 10.0, "full": 7.0}
_TEXTS_PER_SECOND = 100.0  # encoded
_HEAD_PAIRS_PER_SECOND = 32_000.0  # through one pass of a fit
_CORES, _TOKENS = 2, 128
_MOST_CORES = 16  # more of them help a small model little


def estimate_seconds(
    n_pairs: int, config: TrainingConfig, *, n_dev: int, n_gpus: int, cores: int = _CORES, size: float = 1.0
) -> float | None:
    """Estimate how long a training takes; meant to be right within a factor of three, as texts differ in length.

    Args:
        n_pairs: Training pairs.
        config: The settings as asked.
        n_dev: Dev pairs.
        n_gpus: GPUs that the run may use.
        cores: Cores of the CPU, at least 1.
        size: Size of the base's weights relative to MiniLM's.

    Returns:
        Seconds on the CPU; None with a GPU, where it is not estimated.
    """
    if n_gpus:
        return None
    pace = min(cores, _MOST_CORES) / _CORES / max(size, 0.1)
    if config.method == "head":
        passes = config.max_epochs * len(HEAD_PENALTIES)
        return 2 * (n_pairs + n_dev) / (_TEXTS_PER_SECOND * pace) + n_pairs * passes / _HEAD_PAIRS_PER_SECOND
    most = (config.max_steps or n_pairs * config.epochs) * config.pairs_per_step
    trained = min(n_pairs * config.epochs, most) / _PAIRS_PER_SECOND[config.method]
    scored = 2 * min(n_dev, config.max_dev_pairs) * (config.evaluations + 1) / _TEXTS_PER_SECOND
    return (trained + scored) * config.max_seq_length / _TOKENS / pace
