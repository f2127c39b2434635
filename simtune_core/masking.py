"""Masking what identifies a person or a machine in texts: e-mail, phone, IP, URL and user name, by pattern.

Precise rather than complete: ticket numbers, dates, times and version numbers stay. What no pattern tells (names of
people, addresses) is not found, and a masked table is not an anonymous one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
import pandas as pd

Mask = Literal["email", "phone", "ip", "url", "user"]
MASKS: tuple[Mask, ...] = get_args(Mask)
_ORDER: tuple[Mask, ...] = ("url", "email", "user", "ip", "phone")  # the longer thing before what it may hold
_ROUNDS = 20  # until nothing is found any more; a mask can lay bare what stood close to it


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """Texts with masks, and how many of each were set.

    Attributes:
        texts: The texts, what was found replaced by `[email]`, `[phone]`, `[ip]`, `[url]`, `[user]`.
        counts: Replacements by kind, for the kinds asked for.
        n_texts: How many texts were changed.
    """

    texts: pd.Series
    counts: dict[Mask, int]
    n_texts: int


def mask_texts(texts: pd.Series, kinds: Sequence[Mask]) -> Masked:
    """Replace what identifies a person or a machine by what it is.

    Args:
        texts: Strings, null where absent; shape (n,).
        kinds: What to mask.

    Returns:
        The masked texts and the counts; texts without any are as they were.
    """
    counts: dict[Mask, int] = dict.fromkeys((kind for kind in _ORDER if kind in kinds), 0)
    wanted = np.zeros(len(texts), dtype=bool)
    for kind in counts:
        wanted |= texts.str.contains(_HINTS[kind], regex=True).fillna(False).to_numpy(dtype=bool)
    places = np.flatnonzero(wanted)
    before = texts.iloc[places].tolist()
    after = [_masked(text, counts) for text in before]
    changed = [place for place, old, new in zip(places, before, after, strict=True) if old != new]
    if not changed:
        return Masked(texts, counts, 0)
    values = texts.astype(object).to_numpy(copy=True)
    values[places] = after
    return Masked(pd.Series(values, index=texts.index, name=texts.name, dtype="str"), counts, len(changed))


def _masked(text: str, counts: dict[Mask, int]) -> str:
    for _ in range(_ROUNDS):
        before = text
        for kind in counts:
            for pattern, accepts in _PATTERNS[kind]:
                text = pattern.sub(partial(_mask, kind=kind, accepts=accepts, counts=counts), text)
        if text == before:
            break
    return text


def _mask(
    found: re.Match[str], *, kind: Mask, accepts: Callable[[re.Match[str]], bool], counts: dict[Mask, int]
) -> str:
    if not accepts(found):
        return found[0]
    counts[kind] += 1
    start, end = found.span("it")
    return f"{found[0][: start - found.start()]}[{kind}]{found[0][end - found.start() :]}"


def _always(_: re.Match[str]) -> bool:
    return True


def _is_ip4(found: re.Match[str]) -> bool:
    """Tell an address from a version number: valid, and not called a version or a release."""
    before = found.string[max(0, found.start() - 24) : found.start()]
    return _is_address(found["it"]) and not _VERSION.search(before)


def _is_ip6(found: re.Match[str]) -> bool:
    """Tell an address from `a::b` of a program: valid, with a digit in it."""
    return _is_address(found["it"]) and any(character.isdigit() for character in found["it"])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(found: re.Match[str]) -> bool:
    """Tell a telephone number from a date or a number of something else, by its digits and groups."""
    number = found["it"]
    groups = re.findall(r"\d+", number)
    n_digits = sum(map(len, groups))
    if _DATE.match(number) or not 7 <= n_digits <= 15:
        return False
    if number.startswith("00") and len(groups) == 1 and n_digits < 12:  # rather the number of a ticket
        return False
    return n_digits >= 9 or max(map(len, groups)) > 2  # 01.02.03.04 is no number; 01 02 03 04 05 is one


def _is_account(found: re.Match[str]) -> bool:
    """Tell an account of a domain from a path, a branch of the registry or two words."""
    domain, _, user = found["it"].partition("\\")
    return (
        domain.upper() not in _NO_DOMAINS and user.lower() not in _NO_NAMES and not _FILE_ENDING.search(user)
    )  # fmt: skip


def _is_name(found: re.Match[str]) -> bool:
    """Tell a user name behind `user:` from the sentence that may follow there."""
    name, key = found["it"], found["key"].lower()
    if name.lower() in _NO_NAMES:
        return False
    said = found["sign"].strip() == "=" or not found["sign"].endswith((" ", "\t")) or key not in _VAGUE_KEYS
    ends = re.match(r"[\"']?\s*([,;.)\]|\n]|$)", found.string[found.end("it") :])
    return said or bool(ends) or any(character.isdigit() or character in "._-\\" for character in name)


_VERSION = re.compile(r"(?i)\b(v|ver|vers|version|release|rel|build|firmware|driver|update|patch)\b[\s.:#=]*$|\bv$")
_DATE = re.compile(r"\(?(\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\d)(?![./-]\d)")
_FILE_ENDING = re.compile(
    r"(?i)\.(bat|bmp|cfg|cmd|conf|csv|dll|docx?|exe|gif|html?|ini|iso|jar|java|jpe?g|js|json|lnk|log|md|msg|msi|pdf|"
    r"png|pptx?|ps1|pst|py|reg|rtf|sh|sql|sys|tmp|txt|vbs|xlsx?|xml|ya?ml|zip)$"
)
_NO_DOMAINS = {"HKLM", "HKCU", "HKCR", "HKU", "SOFTWARE", "SYSTEM32", "WINDOWS", "PROGRAM", "FILES", "USERS", "AND"}
_NO_NAMES = {
    "a", "all", "an", "and", "any", "are", "as", "at", "but", "by", "can", "cannot", "cant", "could", "did", "does",
    "error", "fail", "failed", "fails", "failure", "for", "from", "get", "gets", "getting", "had", "has", "have", "he",
    "her", "his", "how", "i", "if", "in", "is", "issue", "it", "its", "locked", "my", "new", "no", "none", "not", "of",
    "off", "ok", "on", "or", "our", "page", "password", "please", "problem", "request", "requests", "reset", "she",
    "successful", "the", "their", "they", "this", "to", "try", "trying", "unable", "unknown", "us", "want", "wants",
    "was", "we", "were", "when", "will", "with", "yes", "you", "your",
}  # fmt: skip
_VAGUE_KEYS = {"user", "benutzer", "account", "login", "logon"}
_KEYS = (
    r"user[ _-]?name|user[ _-]?id|user|login|logon|account|sam[ _-]?account[ _-]?name|benutzername|benutzer|"
    r"benutzerkennung|kennung|nom d'utilisateur|identifiant|usuario|upn"
)
_LABELS = r"tel|telephone|telefon|phone|phone[ ]?no|ph|mobile|mob|cell|fax|handy|tel(?:ephone|efon)?[ ]?(?:nr|no)"
_NUMBER = r"\d[\d \u00a0()./-]{4,18}\d"
_PATTERNS: dict[Mask, tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]], ...]] = {
    "url": (
        (
            re.compile(
                r"(?i)(?<![\w@])(?P<it>(?:(?:https?|ftps?|sftp|ssh|file|ldaps?|smb|wss?|rdp|vnc|tcp|udp|jdbc:\w+)://|www\.)"
                r"[^\s<>\"'\[\]{}|\\^`]*[^\s<>\"'\[\]{}|\\^`.,;:!?)])"
            ),
            _always,
        ),
    ),
    "email": (
        (
            re.compile(
                r"(?<![\w.+-])(?P<it>[\w.+'-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24})(?![\w@-])"
            ),
            _always,
        ),
    ),
    "user": (
        (
            re.compile(
                r"(?<![\w\\/:.$%-])(?P<it>[A-Za-z][A-Za-z0-9-]{1,14}\\[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9$])?)(?![\w\\/])"
            ),
            _is_account,
        ),
        (re.compile(r"(?i)(?:\\users\\|[/]home[/])(?P<it>(?!(?:public|default|all)\b)\w[\w.-]*)"), _always),
        (re.compile(r"(?<![\w.@/\\\]])(?P<it>@[A-Za-z_](?:[\w.-]{0,62}\w))(?![\w@/(])"), _always),
        (
            re.compile(rf"(?i)\b(?P<key>{_KEYS})(?P<sign>\s?[:=][ \t]*)[\"']?(?P<it>[^\W_][\w.$\\-]*\w)(?!@)"),
            _is_name,
        ),
    ),
    "ip": (
        (re.compile(r"(?i)(?<![\w:.])(?P<it>(?=[0-9a-f]*:[0-9a-f]*:)[0-9a-f:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?)"
                    r"(?![\w:]|\.\d)"), _is_ip6),
        (re.compile(r"(?<![\w.-])(?P<it>(?:\d{1,3}\.){3}\d{1,3})(?![\w-]|\.\d)"), _is_ip4),
    ),
    "phone": (
        (re.compile(rf"(?i)\b(?:{_LABELS})\.?\s?(?:[:#]\s?|\s)(?P<it>\+?\(?{_NUMBER})(?![\w])"), _is_phone),
        (re.compile(r"(?<![\w.+])(?P<it>(?:\+|00)[1-9](?:[ \u00a0./()-]{0,2}\d){6,14})(?!\w)"), _is_phone),
        (
            re.compile(
                r"(?<![\w.,:/+-])(?P<it>\(?0\d{1,5}\)?[ \u00a0./-]{1,3}\d{2,8}(?:[ \u00a0./-]\d{2,5}){0,4})"
                r"(?![\w]|[:.,/-]\d)"
            ),
            _is_phone,
        ),
        (
            re.compile(r"(?<![\w.,:/+-])(?P<it>(?:1[ .-])?(?:\(\d{3}\)[ ]?|\d{3}[ .-])\d{3}[ .-]\d{4})(?![\w]|[.-]\d)"),
            _is_phone,
        ),
    ),
}  # fmt: skip
# Cheap signs without which a text holds none; plain enough for the fast matcher of Arrow.
_HINTS: dict[Mask, str] = {
    "url": r"://|[wW][wW][wW]\.",
    "email": r"@",
    "user": r"[@\\=:]|[/]home[/]",
    "ip": r"[0-9]\.[0-9]+\.[0-9]|:[0-9a-fA-F]*:",
    "phone": r"[0-9][0-9 \x{a0}()./-]{4,}[0-9]",
}
