"""Writes the reports of one incident: scenarios read from TOML, reporters with habits, texts with noise.

Chooses no pairs and writes no file.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vocabulary as words

SCENARIOS = Path(__file__).parent / "scenarios"
N_REPORTERS = 90
STYLES = ("terse", "chat", "mail", "form", "agent", "alert", "pasted", "long")
STYLE_SHARES = (0.17, 0.19, 0.21, 0.13, 0.13, 0.05, 0.09, 0.03)
CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
MIN_TYPO_LENGTH = 4
MACHINE = "\x00"  # opens a line that no person typed; gone from the finished text


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of problem: how people describe it, what the machines say, and the systems that can have it."""

    key: str
    category: str
    say: tuple[str, ...]
    err: tuple[str, ...]
    entities: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Reporter:
    """A person with a place and habits; says nothing about any problem."""

    name: str
    site: str
    dept: str
    asset: str
    habit: str
    typo_rate: float
    casing: str


@dataclass(frozen=True, slots=True)
class Report:
    """One ticket text before it gets an id, and the index of who wrote it."""

    text: str
    reporter: int


def load_scenarios() -> list[Scenario]:
    """Read all scenarios, in the order of file names and files."""
    scenarios = []
    for path in sorted(SCENARIOS.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        entities = tuple(tuple(names) for names in content["entities"])
        scenarios += [
            Scenario(
                f"{path.stem}/{entry['key']}", content["category"], tuple(entry["say"]), tuple(entry["err"]), entities
            )
            for entry in content["scenario"]
        ]
    return scenarios


def make_reporters(rng: np.random.Generator) -> list[Reporter]:
    """Invent the staff."""
    return [
        Reporter(
            name=f"{pick(rng, words.FIRST_NAMES)} {pick(rng, words.LAST_NAMES)}",
            site=pick(rng, words.SITES),
            dept=pick(rng, words.DEPARTMENTS),
            asset=f"{pick(rng, ('NB', 'WS', 'PC', 'srv-'))}{rng.integers(1000, 9999)}",
            habit=str(rng.choice(STYLES, p=STYLE_SHARES)),
            typo_rate=float(rng.choice([0.0, 0.01, 0.03, 0.07])),
            casing=str(
                rng.choice(
                    ["as is", "as is", "lower", "lower", "sentence", "upper"], p=[0.2, 0.2, 0.2, 0.15, 0.2, 0.05]
                )
            ),
        )
        for _ in range(N_REPORTERS)
    ]


def write_report(
    scenario: Scenario, entity: int, phrase: int, reporters: list[Reporter], rng: np.random.Generator
) -> Report:
    """Write one person's report of one incident.

    Args:
        scenario: The kind of problem.
        entity: Index of the system concerned in `scenario.entities`.
        phrase: Index of the wording in `scenario.say`.
        reporters: The staff, of whom one writes.
        rng: Source of randomness.

    Returns:
        The finished text and who wrote it.
    """
    who = int(rng.integers(len(reporters)))
    reporter = reporters[who]
    style = reporter.habit if rng.random() < 0.6 else str(rng.choice(STYLES, p=STYLE_SHARES))
    text = _Writer(scenario, entity, phrase, reporter, rng).write(style)
    return Report(text=text, reporter=who)


def repeat_report(
    earlier: Report, scenario: Scenario, entity: int, reporters: list[Reporter], rng: np.random.Generator
) -> Report:
    """Raise an earlier report again: forwarded, copied, reopened, and added to by somebody else."""
    who = int(rng.integers(len(reporters)))
    frame = _Writer(scenario, entity, 0, reporters[who], rng).frame(pick(rng, words.REPEAT_SHAPES))
    return Report(text=frame.replace("{text}", earlier.text), reporter=who)


def pick(rng: np.random.Generator, options: tuple[str, ...] | list[str]) -> str:
    """Choose one of several texts."""
    return options[int(rng.integers(len(options)))]


class _Writer:
    """Puts one text together; holds what is fixed while it does so."""

    def __init__(
        self, scenario: Scenario, entity: int, phrase: int, reporter: Reporter, rng: np.random.Generator
    ) -> None:
        self.scenario, self.reporter, self.rng = scenario, reporter, rng
        self.names = scenario.entities[entity]
        self.phrase = phrase
        self.said: set[str] = set()

    def write(self, style: str) -> str:
        """Write in one style; machines and the service desk make no typos."""
        text: str = getattr(self, f"_{style}")()
        if style not in ("alert", "agent"):
            text = self._spell(text)
        return text.replace(MACHINE, "")

    def frame(self, shape: str) -> str:
        """Fill everything of a shape but the earlier text it goes around."""
        return "{text}".join(self._fill(part) for part in shape.split("{text}"))

    def _problem(self) -> str:
        """Describe the problem in the chosen words, sometimes with a second sentence for the same thing."""
        text = self._fill(self.scenario.say[self.phrase])
        if self.rng.random() < 0.12:
            other = (self.phrase + int(self.rng.integers(1, len(self.scenario.say)))) % len(self.scenario.say)
            text += ". " + self._fill(self.scenario.say[other])
        return text

    def _error(self) -> str:
        return MACHINE + self._fill(pick(self.rng, self.scenario.err))

    def _terse(self) -> str:
        parts = [self._fill(self.scenario.say[self.phrase])]
        if self.rng.random() < 0.35:
            parts.insert(0, self._fill(pick(self.rng, words.SUBJECT_NOISE)))
        if self.rng.random() < 0.5:
            parts.append(pick(self.rng, words.URGENCY + words.CLOSINGS))
        elif self.rng.random() < 0.6:
            parts += self._context(1)
        return " ".join(parts)

    def _chat(self) -> str:
        parts = [pick(self.rng, words.GREETINGS), self._problem(), *self._context(int(self.rng.integers(2, 4)))]
        if self.rng.random() < 0.4:
            parts.append(pick(self.rng, words.CLOSINGS))
        return self._join(parts)

    def _mail(self) -> str:
        before, after = self._context(int(self.rng.integers(0, 4))), self._context(int(self.rng.integers(1, 4)))
        parts = [pick(self.rng, words.GREETINGS), *before, self._problem(), *after, pick(self.rng, words.CLOSINGS)]
        return self._join(parts) + "\n" + self._signature()

    def _form(self) -> str:
        lines = self._lines(words.FORM_FIELDS, int(self.rng.integers(4, 9)))
        lines.insert(int(self.rng.integers(len(lines) + 1)), "Description: " + self._problem())
        if self.rng.random() < 0.15:
            lines.append(self._error())
        return "\n".join(lines)

    def _agent(self) -> str:
        lead = pick(
            self.rng, ("User reports:", "Caller states that", "phone call,", "EU says", "Walk-in:", "chat transcript:")
        )
        notes = self._lines(words.AGENT_NOTES, int(self.rng.integers(2, 5)))
        where = self._fill(pick(self.rng, ("({name}, {site})", "{dept} / {site}", "CI {asset}.", "{name} -{num}")))
        return self._join([f"{lead} {self._problem()}", where, *self._context(1), *notes])

    def _alert(self) -> str:
        frame = pick(self.rng, words.ALERT_FRAMES).replace("{sev}", pick(self.rng, words.SEVERITIES))
        text = self._fill(frame.replace("{err}", self._error()))
        if self.rng.random() < 0.7:
            text += "\n" + self._fill(self.scenario.say[self.phrase])
        return text

    def _pasted(self) -> str:
        logs = self._lines(words.LOG_NOISE, int(self.rng.integers(1, 5)))
        logs.insert(int(self.rng.integers(len(logs) + 1)), self._error())
        return self._join([self._problem(), *self._context(1)]) + "\n" + "\n".join(logs)

    def _long(self) -> str:
        thread = self._lines(words.THREAD_LINES, int(self.rng.integers(3, 8)))
        logs = self._lines(words.LOG_NOISE, int(self.rng.integers(2, 10)))
        return "\n".join([self._mail(), *thread, *logs, self._error(), MACHINE + words.DISCLAIMER])

    def _lines(self, pool: tuple[str, ...], n_lines: int) -> list[str]:
        """Different lines of one pool, kept from typos and casing."""
        return [MACHINE + self._fill(str(line)) for line in self.rng.choice(pool, size=n_lines, replace=False)]

    def _context(self, n_parts: int) -> list[str]:
        """Sentences about everything but the problem."""
        pools = [
            words.SINCE,
            words.TRIED,
            words.IMPACT,
            words.ASIDES,
            words.URGENCY,
            ("I am at {site}", "we in {dept}", "{dept}, {site}"),
        ]
        order = self.rng.choice(
            len(pools), size=min(n_parts, len(pools)), replace=False, p=[0.22, 0.22, 0.22, 0.17, 0.05, 0.12]
        )
        drawn = [pick(self.rng, pools[int(index)]) for index in order]
        fresh = [template for template in dict.fromkeys(drawn) if template not in self.said]
        self.said.update(fresh)
        return [self._fill(template) for template in fresh]

    def _signature(self) -> str:
        shapes = ("{name}", "{name}\n{dept}", "{name} | {dept} | {site} | ext. {num}", "{name}, {site}\nPC: {asset}")
        return self._fill(pick(self.rng, shapes))

    def _join(self, parts: list[str]) -> str:
        joint = pick(self.rng, (". ", ", ", "\n", " - ", ". "))
        return joint.join([*(part.rstrip(" ,.") for part in parts[:-1]), parts[-1]])

    def _fill(self, template: str) -> str:
        """Replace choices and slots, left to right, until nothing is left to replace."""
        text = CHOICE.sub(lambda match: pick(self.rng, match.group(1).split("|")), template)
        for _ in range(2):  # a field may hold a sentence with slots of its own
            text = re.sub(r"\{(\w+)\}", lambda match: self._slot(match.group(1)), text)
            text = CHOICE.sub(lambda match: pick(self.rng, match.group(1).split("|")), text)
        return text

    def _slot(self, name: str) -> str:
        if name == "e":
            roll = self.rng.random()
            return (
                pick(self.rng, words.GENERIC_ENTITY)
                if roll < 0.04
                else self.names[0]
                if roll < 0.5
                else pick(self.rng, self.names)
            )
        if name in ("num", "num2", "d"):
            low, high = {"num": (100, 9999), "num2": (10, 31), "d": (1, 10)}[name]
            return str(self.rng.integers(low, high))
        if name in ("since", "tried", "impact"):
            return pick(self.rng, {"since": words.SINCE, "tried": words.TRIED, "impact": words.IMPACT}[name])
        if name == "name2":
            return f"{pick(self.rng, words.FIRST_NAMES)} {pick(self.rng, words.LAST_NAMES)}"
        return str(getattr(self.reporter, name))

    def _spell(self, text: str) -> str:
        """Apply the reporter's spelling: abbreviations, typos, casing."""
        return "\n".join(line if line.startswith(MACHINE) else self._spell_line(line) for line in text.split("\n"))

    def _spell_line(self, line: str) -> str:
        text = " ".join(self._word(word) for word in line.split(" "))
        if self.reporter.casing == "sentence":
            return re.sub(r"(^|[.!?] )([a-z])", lambda match: match.group(1) + match.group(2).upper(), text)
        return {"lower": text.lower(), "upper": text.upper()}.get(self.reporter.casing, text)

    def _word(self, word: str) -> str:
        if word in words.ABBREVIATIONS and self.rng.random() < 5 * self.reporter.typo_rate:
            return words.ABBREVIATIONS[word]
        if not word.isalpha() or len(word) < MIN_TYPO_LENGTH or self.rng.random() >= self.reporter.typo_rate:
            return word
        at = int(self.rng.integers(1, len(word) - 1))
        kinds = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
        return pick(self.rng, kinds)
