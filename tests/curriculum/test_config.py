"""Tests of simtune_core.curriculum.config: what is refused, and what follows from bands."""

import pytest

from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig, cumulative_phases, literal_phases
from simtune_core.errors import ConfigError


def test_the_default_is_the_storys_three_cumulative_phases_of_5000_pairs():
    config = CurriculumConfig()

    assert [(phase.name, phase.pos_min, phase.neg_max, phase.separability) for phase in config.phases] == [
        ("easy", 0.52, 0.36, 0.37), ("medium", 0.40, 0.45, 0.27), ("hard", 0.30, 0.50, 0.19),
    ]  # fmt: skip
    assert {(phase.pos_max, phase.neg_min, phase.n_wanted, phase.shape) for phase in config.phases} == {
        (1.0, 0.2, 5000, "target")
    }
    assert all(phase.reachable for phase in config.phases)


def test_the_literal_bands_of_the_second_and_third_phase_cannot_reach_their_targets():
    phases = literal_phases()

    assert [phase.reachable for phase in phases] == [True, False, False]
    # 0.52 - 0.36 and 0.40 - 0.45 (MISSION.md, cause 2)
    assert [round(phase.separability_max, 10) for phase in phases] == [0.8, 0.16, -0.05]
    assert phases[2].separability_min == pytest.approx(0.30 - 0.50)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pos_min": 0.6, "pos_max": 0.6}, "pos_min must be below pos_max, got 0.6 and 0.6"),
        ({"neg_min": 0.5, "neg_max": 0.4}, "neg_min must be below neg_max"),
        ({"pos_min": 0.525}, r"bounds must be multiples of 0\.01, got 0\.525"),
        ({"n_positives": 0, "n_negatives": 0}, "must want at least one pair"),
        ({"pos_max": 1.5}, "pos_max"),
        ({"name": "../x"}, "name"),
        ({"shape": "round"}, "shape"),
    ],
)
def test_a_phase_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        PhaseConfig(**wrong)


def test_phases_have_names_of_their_own_and_there_is_one_at_least():
    with pytest.raises(ConfigError, match="got 'easy' twice"):
        CurriculumConfig(phases=(*cumulative_phases(), cumulative_phases()[0]))
    with pytest.raises(ConfigError, match="phases"):
        CurriculumConfig(phases=())


def test_a_config_comes_back_from_json():
    config = CurriculumConfig(phases=literal_phases(same_category_share=0.3), balance="capped", seed=7)

    assert CurriculumConfig(**config.model_dump(mode="json")) == config
