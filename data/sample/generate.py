"""Generates the bundled sample of IT-incident tickets: `python data/sample/generate.py [--out FOLDER]`.

Owns the plan (which incidents, how many reports, which split), the seed and the files; texts are written by `reports`,
pairs chosen by `sampling`. Needs no model: difficulty comes from how the texts are made and from TF-IDF.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from reports import Report, Reporter, Scenario, load_scenarios, make_reporters, repeat_report, write_report
from sampling import sample_easy_pairs, sample_pairs, tfidf_vectors

SEED = 20240607
# Per scenario: the splits of its incidents with several reports; one more incident is reported once.
SPLITS_OF_GROUPS = ("train", "train", "dev", "test")
SINGLETON_SPLITS, SINGLETON_SHARES = ("train", "dev", "test"), (0.5, 0.2, 0.3)
GROUP_SIZES = {"train": (3, 4, 5, 6, 7, 8, 9, 10), "dev": (2, 3, 4, 5, 6, 7), "test": (2, 3, 4, 5, 6, 7)}
COPIED_SHARE = 0.27  # reports that repeat an earlier one of their incident: forwarded, copied, reopened
REWORDED_SHARE = 0.15  # reports that share a wording, but nothing else, with an earlier one
MAX_LIKENESS = 0.60  # Jaccard of word sets between reports of one scenario in different splits
MAX_TRIES = 300
VISIBLE = ["id", "text", "category", "duplicate_group", "split"]


def build_frames(seed: int = SEED) -> dict[str, pd.DataFrame]:
    """Generate the sample in memory.

    Args:
        seed: Seed of everything random.

    Returns:
        The frames `records`, `pairs` and `easy_pairs`.
    """
    rng = np.random.default_rng(seed)
    records = write_records(load_scenarios(), make_reporters(rng), rng)
    vectors = tfidf_vectors(records["text"])
    return {
        "records": records[VISIBLE],
        "pairs": sample_pairs(records, vectors, rng),
        "easy_pairs": sample_easy_pairs(records, vectors, rng),
    }


def write_records(scenarios: list[Scenario], reporters: list[Reporter], rng: np.random.Generator) -> pd.DataFrame:
    """Write every report of every incident; the result has hidden columns besides the visible ones."""
    rows: list[dict[str, str | int]] = []
    n_groups = 0
    for scenario in scenarios:
        seen: list[tuple[str, frozenset[str]]] = []
        entities = rng.permutation(len(scenario.entities))
        splits = [*SPLITS_OF_GROUPS, str(rng.choice(SINGLETON_SPLITS, p=SINGLETON_SHARES))]
        for position, split in enumerate(splits):
            entity = int(entities[position])
            size = int(rng.choice(GROUP_SIZES[split])) if position < len(SPLITS_OF_GROUPS) else 1
            n_groups += 1
            shared = {
                "category": scenario.category, "duplicate_group": f"PRB{n_groups:05d}", "split": split,
                "scenario": scenario.key, "entity": scenario.entities[entity][0],
            }  # fmt: skip
            elsewhere = [words for other_split, words in seen if other_split != split]
            reports = _write_incident(scenario, entity, size, reporters, rng, elsewhere=elsewhere)
            seen += [(split, _word_set(report.text)) for report in reports]
            rows += [{"text": report.text, "reporter": report.reporter, **shared} for report in reports]
    order = rng.permutation(len(rows))
    records = pd.DataFrame([rows[index] for index in order])
    numbers = 1000 + np.cumsum(rng.integers(1, 9, size=len(records)))
    records.insert(0, "id", [f"INC{number:07d}" for number in numbers])
    return records


def _write_incident(
    scenario: Scenario, entity: int, n_reports: int, reporters: list[Reporter], rng: np.random.Generator,
    *, elsewhere: list[frozenset[str]],
) -> list[Report]:  # fmt: skip
    """Write the reports of one incident: each in other words, or repeating an earlier one.

    Args:
        scenario: The kind of problem.
        entity: Index of the system concerned.
        n_reports: How many people report it.
        reporters: The staff.
        rng: Source of randomness.
        elsewhere: Word sets of the scenario's reports in other splits, which no report may resemble.

    Returns:
        Reports with different texts.
    """
    phrases = [int(index) for index in rng.permutation(len(scenario.say))]
    n_phrases, reports = 0, list[Report]()
    for _ in range(MAX_TRIES):
        if len(reports) == n_reports:
            return reports
        fate = rng.random() if reports else 1.0
        if fate < COPIED_SHARE:
            report = repeat_report(reports[int(rng.integers(len(reports)))], scenario, entity, reporters, rng)
        else:
            known = fate < COPIED_SHARE + REWORDED_SHARE or n_phrases == len(phrases)
            phrase = phrases[int(rng.integers(n_phrases))] if known else phrases[n_phrases]
            report = write_report(scenario, entity, phrase, reporters, rng)
            n_phrases += not known
        mine = _word_set(report.text)
        is_new = report.text not in {other.text for other in reports}
        if is_new and all(len(mine & other) < MAX_LIKENESS * len(mine | other) for other in elsewhere):
            reports.append(report)
    message = f"{scenario.key}: {len(reports)} of {n_reports} reports unlike the other splits; add wordings"
    raise RuntimeError(message)


def _word_set(text: str) -> frozenset[str]:
    """Words without case, digits and punctuation."""
    return frozenset(re.findall(r"[^\W\d_]+", text.lower()))


def main() -> None:
    """Write the three files, beside the generator unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the parquet files")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in build_frames().items():
        path = folder / f"{name}.parquet"
        frame.to_parquet(path, index=False, compression="zstd", compression_level=19)
        sys.stdout.write(f"{path}: {len(frame)} rows, {path.stat().st_size / 1024:.0f} KiB\n")


if __name__ == "__main__":
    main()
