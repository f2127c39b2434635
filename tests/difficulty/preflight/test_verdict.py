"""Which word follows from what was measured: each question decides alone, in the order of docs/preflight.md."""

from dataclasses import replace

import pytest

from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.coverage import Band, Coverage
from simtune_core.difficulty.preflight.detectable import Detectable
from simtune_core.difficulty.preflight.fixes import Bands, bands_of, phases_of
from simtune_core.difficulty.preflight.headroom import Standing
from simtune_core.difficulty.preflight.probe import CrossValidated, Probe
from simtune_core.difficulty.preflight.reasons import Evidence, round_up
from simtune_core.difficulty.preflight.shift import Shift
from simtune_core.difficulty.preflight.verdict import decide, finding_of, preflight_from_json
from simtune_core.evaluation.uncertainty import Interval
from simtune_core.findings import Audit, Fix
from tests.difficulty.sets import scored_set

CONFIG = PreflightConfig()
GAP = Band(label=1, low=0.2, high=0.45, n_train=0, n_test=61, share=0.61)


def standing(ref, *, auc=0.8, separability=0.2, tfidf=0.6, prevalence=0.5, n_pairs=1000):
    return Standing(ref, n_pairs, prevalence, False, separability, auc, 2 * auc - 1 if auc else None, tfidf)


def probe(estimate, low, high, verdict, *, trained=True, inside=0.1):
    difference = Interval(estimate, low, high, 2000, 900, 0)
    folds = CrossValidated(0.8, 0.8 + inside, (inside,), 400, True)
    return Probe(
        "roc_auc", folds, 0.8, 0.8 + estimate, difference, verdict, trained, 0.0 if trained else None,
        6 if trained else 0, 1000, 0, 1000, 1000, 1000,
    )  # fmt: skip


WIN, TIE, LOSS = (
    probe(0.1, 0.05, 0.15, "WIN"), probe(0.0, -0.02, 0.02, "CANNOT TELL"), probe(-0.1, -0.15, -0.05, "LOSS"),
)  # fmt: skip
FINE = Evidence(
    encoder="minilm",
    space="minilm",
    train=standing("train@v0001"),
    test=standing("test@v0001"),
    coverage=Coverage(0.97, 0.95, 0.99, (), (), 0.05, 20),
    shift=Shift(0.55, (("cosine", 0.02),), 0.01, 0.01, 1000, 1000, 2000),
    probe=WIN,
    not_probed="",
    detectable=Detectable("roc_auc", 0.03, 0.0107, 1000, 900, 9000, 0.9),
    bands=Bands((0.5, 0.4, 0.3), (0.3, 0.4, 0.5), 0.1),
)


def decided(**changes):
    return decide(replace(FINE, **changes), CONFIG)


def deciding(preflight):
    return [each.code for each in preflight.reasons if each.decides]


def test_a_probe_that_wins_on_sound_data_is_go_and_leads_to_training():
    found = decided()

    assert (found.verdict, deciding(found)) == ("GO", ["probe_gains"])
    assert found.reasons[0].message == (
        "A head fitted on 1,000 training pairs gains ROC-AUC +0.100 on the test pairs (0.800 to 0.900, 95 % interval "
        "+0.050 to +0.150); on training records that it never saw +0.100."
    )
    assert [each.code for each in found.reasons[1:]] == ["headroom", "covered", "detectable"]
    assert (found.fix.page, dict(found.fix.holds)) == ("training", {"training.train": "train"})


def test_a_probe_that_shows_nothing_on_sound_data_keeps_the_baseline():
    found = decided(probe=TIE)

    assert (found.verdict, deciding(found)) == ("KEEP BASELINE", ["probe_gains_nothing"])
    assert found.fix.page == "evaluation"


def test_a_probe_that_its_own_dev_part_refused_says_so():
    found = decided(probe=probe(0.0, 0.0, 0.0, "TIE", trained=False))

    assert "no head was better than the untouched encoder" in found.reasons[0].message


def test_solved_and_easier_training_pairs_name_both_numbers_and_set_the_sliders():
    easy = standing("easy@v0001", auc=0.998, separability=0.490)
    found = decided(train=easy, test=standing("test@v0001:test", auc=0.770, separability=0.144, tfidf=0.947))

    assert found.verdict == "FIX DATA"  # though the probe wins: what little is left in solved pairs
    assert deciding(found) == ["training_solved", "training_easier", "circular_labels"]
    assert "ROC-AUC is 0.998 on the training pairs against 0.770" in found.reasons[0].message
    assert "0.490 on the training pairs against 0.144" in found.reasons[1].message
    assert "TF-IDF alone reaches ROC-AUC 0.947" in found.reasons[2].message
    assert found.reasons[-1].code == "probe_gains"
    held = dict(found.fix.holds)
    assert found.fix.page == "curriculum"
    assert held["curriculum.encoder"] == "minilm"
    assert held["curriculum.test"] == "test:test"
    assert CurriculumConfig.from_text(held["curriculum.settings"]).phases[2].pos_min == 0.3


def test_labels_are_circular_only_where_words_tell_them_better_than_the_encoder():
    duplicates = standing("test@v0001", auc=0.947, tfidf=0.912)  # people's links share words, and meaning

    assert decided(test=duplicates).verdict == "GO"
    assert deciding(decided(test=standing("test@v0001", tfidf=0.91))) == ["circular_labels"]


def test_pairs_that_nobody_can_learn():
    one_sided = decided(train=standing("train@v0001", auc=0.51, prevalence=0.003), probe=TIE)
    noise = decided(train=standing("train@v0001", auc=0.5), probe=probe(0.0, -0.02, 0.02, "TIE", inside=0.0))

    assert deciding(one_sided) == ["not_learnable"]
    assert "99.7% of them are negatives" in one_sided.reasons[0].message
    assert deciding(noise) == ["not_learnable"]
    assert decided(train=standing("train@v0001", auc=0.5)).verdict == "GO"  # unknown to the baseline, yet learnable


def test_a_perfect_model_that_could_not_be_shown_keeps_the_baseline():
    found = decided(test=standing("test@v0001", auc=0.985))

    assert (found.verdict, deciding(found)) == ("KEEP BASELINE", ["no_headroom"])
    assert "a perfect model would gain 0.015" in found.reasons[0].message


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"coverage": Coverage(0.6, 0.4, 0.8, (), (GAP,), 0.05, 20)}, "uncovered"),
        ({"shift": Shift(0.99, (("TF-IDF cosine", 0.4),), 0.1, 0.1, 900, 900, 1800)}, "shifted"),
        ({"detectable": Detectable("roc_auc", 0.12, 0.043, 41, 40, 5904, 0.9)}, "test_too_small"),
    ],
)
def test_what_hinders_decides_only_where_the_probe_shows_nothing(change, code):
    hindered, winning = decided(**change, probe=TIE), decided(**change)

    assert (hindered.verdict, deciding(hindered)) == ("FIX DATA", [code])
    assert winning.verdict == "GO"
    assert code in [each.code for each in winning.reasons]


def test_the_empty_band_is_named_with_the_share_of_the_test_pairs_in_it():
    found = decided(coverage=Coverage(0.6, 0.4, 0.8, (), (GAP,), 0.05, 20), probe=TIE)

    assert (
        "no training positives between 0.20 and 0.45, where 61% of the test positives lie" in found.reasons[0].message
    )


def test_a_test_set_too_small_to_show_what_is_left_is_a_matter_of_the_data():
    found = decided(
        test=standing("test@v0001", auc=0.964),
        detectable=Detectable("roc_auc", 0.076, 0.027, 41, 40, 2360, 0.9),
        probe=TIE,
    )

    assert (found.verdict, deciding(found)) == ("FIX DATA", ["test_too_small"])
    assert "about 2,400 pairs would show 0.01" in found.reasons[0].message
    assert "no_headroom" in [each.code for each in found.reasons]


def test_a_probe_that_loses_is_a_matter_of_the_data():
    assert deciding(decided(probe=LOSS)) == ["probe_loses"]


def test_one_class_is_a_matter_of_the_data():
    empty = standing("test@v0001", auc=None, separability=None, tfidf=None, prevalence=1.0)
    found = decided(test=empty, probe=None, not_probed="No probe.", detectable=None, bands=None)

    assert (found.verdict, deciding(found)) == ("FIX DATA", ["one_class"])
    assert "All 1,000 pairs of test@v0001 are positives" in found.reasons[0].message


def test_without_a_probe_nothing_that_speaks_against_it_is_go():
    found = decided(probe=None, not_probed="No probe: this space has no vectors.")

    assert found.verdict == "GO"
    assert "not_probed" in deciding(found)


def test_leaks_between_the_two_sets_and_many_contradictions_come_before_everything():
    split = Fix("Split again.", "data")
    leak = Audit("leaked_texts", "Texts in both sets", "found", "12 texts.", "error", 12, (), split)
    clash = Audit("contradicting_pairs", "One pair with two labels", "found", "30 pairs.", "warning", 30)
    near = Audit("leaked_near_duplicates", "Near-duplicates", "found", "5 texts.", "warning", 5)

    leaking = decided(audits=(leak, near), n_shared=14)
    assert (leaking.verdict, deciding(leaking), leaking.fix) == ("FIX DATA", ["leaked_texts"], split)
    assert decided(audits=(leak,), n_shared=0).verdict == "GO"  # a leak among other splits
    assert deciding(decided(audits=(clash,))) == ["contradicting_pairs"]  # 30 of 2,000 pairs: more than 1 %
    assert decided(audits=(replace(clash, n_found=20),)).verdict == "GO"


def test_a_verdict_is_one_finding_and_comes_back_from_json():
    easy = decided(train=standing("easy@v0001", auc=0.998, separability=0.490))

    found = finding_of(easy, "easy@v0001", "test@v0001")

    assert (found["code"], found["severity"]) == ("preflight_fix_data", "warning")
    assert found["message"].startswith("FIX DATA: training on easy@v0001 for test@v0001. The baseline's ROC-AUC")
    assert finding_of(decided(), "a", "b")["severity"] == "info"
    assert preflight_from_json(easy.as_json()) == easy


def test_the_sliders_are_set_where_the_test_pairs_lie():
    cosines = [0.30, 0.40, 0.50, 0.60, 0.70, 0.10, 0.20, 0.30, 0.40, 0.50]
    bands = bands_of(scored_set(cosines, [1] * 5 + [0] * 5))

    assert bands.positive == (0.5, 0.4, 0.32)  # quantiles 0.5, 0.25, 0.05: 0.5, 0.4, 0.32
    assert bands.negative == (0.3, 0.4, 0.48)
    assert bands.floor == 0.12
    phases = [PhaseConfig(**phase) for phase in phases_of(bands)]
    assert [(phase.name, phase.pos_min, phase.neg_min, phase.neg_max) for phase in phases] == [
        ("easy", 0.5, 0.12, 0.3), ("medium", 0.4, 0.12, 0.4), ("hard", 0.32, 0.12, 0.48),
    ]  # fmt: skip
    assert bands_of(scored_set([0.5], [1])) is None


def test_negatives_of_one_similarity_still_leave_a_floor_below_them():
    bands = bands_of(scored_set([0.9, 0.9, 0.2, 0.2], [1, 1, 0, 0]))

    assert bands.floor < bands.negative[0]


def test_needed_pairs_are_told_in_two_digits():
    assert [round_up(number) for number in (7, 41, 16_378, 9001)] == [7, 41, 17_000, 9100]
