"""Where the bytes of a foreign file come from: a path, an upload, or what is packed in a .gz or .zip.

What is packed is measured while it expands and refused before it fills memory or disk. Reads no format.
"""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from simtune_core.errors import DataFaultError
from simtune_core.tables.table import require_size

# What begins like this is no text, whatever its name says.
_MAGIC = (
    (b"PAR1", "a Parquet file", ".parquet"),
    (b"PK\x03\x04", "a ZIP archive or an Office document", ".zip or .xlsx"),
    (b"\x1f\x8b", "a gzip file", ".gz"),
    (b"%PDF", "a PDF document", ""),
    (b"MZ", "a Windows program", ""),
    (b"\x7fELF", "a program", ""),
    (b"\xd0\xcf\x11\xe0", "an old Office document (.xls) or one with a password", ""),
    (b"\x89PNG", "a picture", ""),
    (b"\xff\xd8\xff", "a picture", ""),
    (b"SQLite format 3", "a database", ""),
    (b"ARROW1", "an Arrow file", ""),
    (b"{\\rtf", "an RTF document", ""),
    (b"<?xml", "an XML document", ""),
)
_PAGES = (b"<!doctype html", b"<html")
_BLOCK = 1 << 20
_RATIO, _FREE_BYTES = 200, 50_000_000  # text packs to a tenth or so; a bomb to a thousandth
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
# What Python raises over bytes that are no archive: ValueError for a place before the file, RuntimeError for a zip of a
# version it does not know, IndexError for a file without a name.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, ValueError, RuntimeError, IndexError)
_ENCRYPTED, _PATCHED = 0x41, 0x20  # bits of a member's flags
_CLUTTER = ("__MACOSX/", ".DS_Store")


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes that can be opened more than once.

    Attributes:
        name: The file's name, for sentences.
        suffix: The ending of what is inside, in lower case: `.csv` of `pairs.csv.gz`.
        size: Bytes of the file as it lies there.
        opened: Opens the content from its beginning.
        packed: Whether the content is larger than the file.
        expanded: Bytes of the content as an archive states them; None where nothing does.
    """

    name: str
    suffix: str
    size: int
    opened: Callable[[], AbstractContextManager[IO[bytes]]]
    packed: bool = False
    expanded: int | None = None

    @contextmanager
    def stream(self) -> Iterator[Measured]:
        """Open the content as a stream that refuses to expand beyond the limit.

        Raises:
            DataFaultError: If it cannot be opened, is damaged, or expands too far.
        """
        with ExitStack() as opened:
            with self.readable():
                content = opened.enter_context(self.opened())
            yield Measured(content, self)

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Open the content as a file with random access; what is packed is unpacked into a file without a name."""
        if self.packed:
            with tempfile.TemporaryFile() as unpacked:
                with self.readable(), self.stream() as stream:
                    while block := stream.read(_BLOCK):
                        unpacked.write(block)
                unpacked.seek(0)
                yield unpacked
            return
        with ExitStack() as opened:
            with self.readable():
                content = opened.enter_context(self.opened())
            yield content

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turn what goes wrong with the bytes themselves into a sentence."""
        try:
            yield
        except DAMAGED as error:
            raise DataFaultError(f"{self.name} is damaged or cut short and cannot be unpacked: {error}.") from error
        except OSError as error:
            reason = " ".join(str(error.strerror or error).split())[:200].rstrip(".")
            raise DataFaultError(f"{self.name} cannot be read: {reason}.") from error

    def head(self, n_bytes: int) -> bytes:
        """Return the first bytes of the content."""
        with self.stream() as content:
            return content.read(n_bytes)


class Measured(io.RawIOBase):
    """A stream that counts what it gives and refuses to give more than a file may hold."""

    def __init__(self, content: IO[bytes], source: Source) -> None:
        self.content = content
        self.source = source
        self.n_bytes = 0

    @property
    def done(self) -> tuple[int, int]:
        """Return how many bytes are read, and of how many: of a gzip file, of those that are packed."""
        packed = getattr(self.content, "fileobj", None) if self.source.packed else None
        total = self.source.size if self.source.expanded is None else self.source.expanded
        return min(total, packed.tell() if packed is not None else self.n_bytes), total

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, as `io.RawIOBase` asks; the limits hold after every call."""
        with self.source.readable():
            block = self.content.read(len(buffer))
        buffer[: len(block)] = block
        self.n_bytes += len(block)
        if self.source.packed:
            require_expansion(self.n_bytes, self.source.size, self.source.name)
        return len(block)


def require_expansion(n_bytes: int, packed_bytes: int, name: str) -> None:
    """Refuse what expands beyond the limit, or to more than `_RATIO` times its size once that is much.

    Raises:
        DataFaultError: With what it expands to.
    """
    require_size(n_bytes, name)
    if n_bytes > max(_FREE_BYTES, _RATIO * packed_bytes):
        raise DataFaultError(
            f"{name} expands beyond the limit: to more than {_RATIO} times its {packed_bytes / 1e6:.3g} MB. "
            "Unpack it yourself if you trust it, and choose the file inside."
        )


def require_unpackable(member: zipfile.ZipInfo, name: str) -> None:
    """Refuse a part of an archive that is encrypted or packed by a method that is not known here.

    Raises:
        DataFaultError: Says which.
    """
    if member.flag_bits & _ENCRYPTED:
        raise DataFaultError(f"{name} is encrypted; unpack it with its password and choose the file inside.")
    if member.compress_type not in _METHODS or member.flag_bits & _PATCHED:
        raise DataFaultError(f"{name} is packed by a method that is not known here; pack it anew as a plain ZIP.")


def source_of(source: Path | bytes, name: str) -> Source:
    """Return a path or an upload as a source, unpacked where its name ends in .gz or .zip.

    Args:
        source: A path, or the content of an upload.
        name: The file's name; only its ending counts, it is never used as a path.

    Raises:
        DataFaultError: If the file is missing, too large, empty or a damaged archive.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if isinstance(source, bytes):
        plain = Source(name, suffix, len(source), lambda: io.BytesIO(source))
    else:
        try:
            plain = Source(name, suffix, source.stat().st_size, lambda: source.open("rb"))
        except OSError as error:
            raise DataFaultError(f"{name} cannot be read: {error.strerror or error}.") from error
    require_size(plain.size, name)
    if not plain.size:
        raise DataFaultError(f"{name} is empty and has no rows; choose a file with a header and rows.")
    if suffix == ".gz":
        inside = PurePosixPath(PurePosixPath(name).stem).suffix.lower()

        @contextmanager
        def unpacked() -> Iterator[IO[bytes]]:
            with plain.opened() as packed, gzip.open(packed) as content:
                yield cast("IO[bytes]", content)

        return replace(plain, suffix=inside, packed=True, opened=unpacked)
    return _member_of(plain) if suffix == ".zip" else plain


def _member_of(archive: Source) -> Source:
    """Return the one file of a ZIP archive."""
    with archive.readable(), archive.seekable() as content, zipfile.ZipFile(content) as opened:
        files = [info for info in opened.infolist() if not info.is_dir()]
    outside = [info.filename for info in files if _leads_outside(info.filename)]
    if outside:
        raise DataFaultError(f"{archive.name} holds {outside[0][:60]!r}, a path that leads outside; pack it anew.")
    files = [info for info in files if not info.filename.startswith(_CLUTTER) and "/." not in f"/{info.filename}"]
    if len(files) != 1:
        shown = ", ".join(info.filename[-60:] for info in files[:5]) or "none"
        raise DataFaultError(f"{archive.name} must hold exactly one file, got {len(files)}: {shown}.")
    member = files[0]
    require_unpackable(member, archive.name)
    require_expansion(member.file_size, archive.size, archive.name)

    @contextmanager
    def unpacked() -> Iterator[IO[bytes]]:
        with archive.opened() as packed, zipfile.ZipFile(packed) as opened, opened.open(member.filename) as content:
            yield content

    suffix = PurePosixPath(member.filename).suffix.lower()
    return replace(archive, suffix=suffix, packed=True, opened=unpacked, expanded=member.file_size)


def _leads_outside(file: str) -> bool:
    path = PurePosixPath(file.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts


def require_text(source: Source) -> None:
    """Refuse what is no text by its first bytes: a program, a document, an archive, a web page.

    Raises:
        DataFaultError: Says what the file is.
    """
    head = source.head(512)
    for magic, what, ending in _MAGIC:
        if head.startswith(magic) and not (magic == b"MZ" and head[:128].isascii() and b"\x00" not in head[:128]):
            advice = f"if it is one of ours, give it the ending {ending}" if ending else "choose a table"
            raise DataFaultError(f"{source.name} is not a {source.suffix[1:].upper()} file but {what}; {advice}.")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES):
        raise DataFaultError(
            f"{source.name} is not a {source.suffix[1:].upper()} file but a web page, perhaps that of a login or an "
            "error; download the file itself."
        )
