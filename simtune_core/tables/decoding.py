"""Which encoding a text file is in, and its lines: BOM, then UTF-8, then the best guess by charset-normalizer.

A guess is always told and can be overruled. Knows nothing of columns.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

from simtune_core.errors import DataFaultError
from simtune_core.tables.sources import Measured, Source

MAX_LINE = 16_000_000  # characters; what is longer is no table
_BLOCK = 1 << 20
_HEAD_BYTES = 1 << 20  # what a look at the head reads
_SAMPLE_BYTES = 1 << 16  # what a guess is made from
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_USUAL = "cp1252"  # of encodings that fit alike
# What a guess chooses from: the encodings of Windows and the national ones, not those of DOS and of single machines.
_GUESSED = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "iso8859_2",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "mac_roman",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by Python's name, and a sentence on it where it was guessed."""

    name: str
    notes: tuple[str, ...] = ()


def find_encoding(source: Source, asked: str | None, *, whole: bool = True) -> Encoding:
    """Return the encoding of a text: the one asked for, else that of its mark, UTF-8, or a guess.

    Args:
        source: The file.
        asked: An encoding that the user chose; None for detection.
        whole: Whether all of the file is looked at; otherwise its head.

    Raises:
        DataFaultError: If the file does not fit the encoding asked for (with line and byte), or fits none.
    """
    if asked:
        name = _known(asked)
        fault = _fault(source, name, whole)
        if fault:
            raise DataFaultError(f"{source.name} is not {name}: {fault}. Choose another encoding.")
        return Encoding(name)
    head = source.head(_SAMPLE_BYTES)
    marked = next((name for mark, name in _BOMS if head.startswith(mark)), None)
    wide = _wide(head)
    if wide and not marked and not _fault(source, wide, whole):
        return Encoding(wide, (_told(wide),))
    fault = _fault(source, marked or "utf-8", whole)
    if not fault:
        return Encoding(marked or "utf-8")
    if marked:
        raise DataFaultError(f"{source.name} begins as {marked} but is not: {fault}. Choose another encoding.")
    for guess in _guesses(_sample(source)):
        if not _fault(source, guess, whole):
            return Encoding(guess, (_told(guess),))
    raise DataFaultError(f"{source.name} must be text; it is not UTF-8 ({fault}) and fits no other encoding.")


def lines_of(stream: Measured, encoding: Encoding, name: str) -> Iterator[str]:
    """Yield the lines of a text with their line ends; halves of characters pass, to be cleaned later.

    Raises:
        DataFaultError: If a line is longer than `MAX_LINE`.
    """
    text = io.TextIOWrapper(io.BufferedReader(stream, _BLOCK), encoding.name, _errors(encoding.name), newline="")
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE:
                raise DataFaultError(f"{name}, line {number}: longer than {MAX_LINE:,} characters, which is no table.")
            yield line
    except UnicodeError as error:  # below the head, where only that was looked at
        raise DataFaultError(
            f"{name}, after line {number}: not {encoding.name} ({error}). Choose another encoding."
        ) from error


def _known(asked: str) -> str:
    try:
        name = codecs.lookup(asked.strip()).name
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise DataFaultError(
            f"An encoding must be one that Python knows, such as utf-8, cp1252 or utf-16, got {asked[:40]!r}."
        ) from error
    return name


def _errors(name: str) -> str:
    return "surrogatepass" if name.startswith("utf-") and name != "utf-7" else "strict"


def _told(name: str) -> str:
    return f"The file was read as {name} (detected)."


def _wide(head: bytes) -> str | None:
    """Return which UTF-16 or UTF-32 a text without a mark is in: its NUL bytes stand where those of ASCII would."""
    n_units = len(head) // 4
    first, second, third, fourth = (head[place : 4 * n_units : 4].count(0) for place in range(4))
    if first + second + third + fourth < max(2, len(head) // 50):
        return None
    if third > n_units / 2 and fourth > n_units / 2 and not first:
        return "utf-32-le"
    if first > n_units / 2 and second > n_units / 2 and not fourth:
        return "utf-32-be"
    if not first + third:
        return "utf-16-le"
    return None if second + fourth else "utf-16-be"


def _fault(source: Source, name: str, whole: bool) -> str:
    """Return where a file is not in an encoding, as a phrase; empty if it is."""
    decoder = codecs.getincrementaldecoder(name)(_errors(name))
    n_lines, n_bytes = 1, 0
    with source.stream() as stream:
        block = b"-"
        while block and (whole or n_bytes < _HEAD_BYTES):
            block = stream.read(_BLOCK)
            n_bytes += len(block)
            try:
                n_lines += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(name, "ignore").count("\n")
                return f"line {n_lines + before} holds the byte 0x{error.object[error.start]:02x}"
            except UnicodeError as error:  # UTF-16 and UTF-32 without their mark
                return str(error)
    return ""


def _sample(source: Source) -> bytes:
    """Return the first lines that are not ASCII: what tells one encoding from another."""
    sample = bytearray()
    with source.stream() as stream:
        buffered = io.BufferedReader(stream, _BLOCK)
        while len(sample) < _SAMPLE_BYTES and (line := buffered.readline(_SAMPLE_BYTES)):
            sample += b"" if line.isascii() else line
    return bytes(sample)


def _guesses(sample: bytes) -> list[str]:
    """Return encodings that fit a sample, best first; the usual one goes before those that are no better."""
    from charset_normalizer import from_bytes

    found = list(from_bytes(sample, cp_isolation=_GUESSED))
    if not found:
        return []
    best = found[0]
    alike = [match for match in found if match.chaos <= best.chaos and match.coherence >= best.coherence]
    names = [match.encoding for match in found]
    if any(_USUAL in match.could_be_from_charset for match in alike):
        names = [_USUAL, *names]
    return list(dict.fromkeys(names))
