"""CSV as people have it: any line end, UTF-8 or UTF-16, a byte-order mark or none, comma, semicolon or tab; and safe to open when written.

What is written has the encoding, delimiter and line end of what was read, and every cell as it was, but that a spreadsheet would run a
cell that begins with one of `= + - @ tab CR NUL`: such a cell is written with an apostrophe before it.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.customers.errors import WrongUseError

MARKS = [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0")
DELIMITERS = (",", ";", "\t", "|")
LINE_END = re.compile(r"\r\n|\r|\n")
SAMPLE = 64 * 1024


@dataclass(frozen=True)
class Format:
    """How a file is written. Bytes that are no text of its encoding come through unchanged."""

    mark: bytes = b""
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\r\n"  # RFC 4180

    @property
    def errors(self) -> str:
        return "surrogateescape" if self.encoding == "utf-8" else "surrogatepass"

    def line(self, cells: Iterable[str]) -> bytes:
        """One row, defused and quoted where it must be."""
        written = [self._quote(defuse(cell)) for cell in cells]
        text = '""' if written == [""] else self.delimiter.join(written)  # an empty line would be no row at all
        return (text + self.line_end).encode(self.encoding, self.errors)

    def _quote(self, cell: str) -> str:
        needed = any(letter in cell for letter in (self.delimiter, '"', "\r", "\n"))
        return '"' + cell.replace('"', '""') + '"' if needed else cell


@dataclass(frozen=True)
class CsvFile:
    """A file that can be read from the start any number of times. Its first column that has one of the wanted names is `column`."""

    path: Path
    format: Format
    header: list[str] | None
    column: int

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells of each row but the header and blank lines; as wide as the header. Raises WrongUseError."""
        width = len(self.header) if self.header else 1
        for number, cells in read_rows(self.path, self.format, skip_header=self.header is not None):
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if len(cells) > width:
                raise WrongUseError(f"{self.path.name}, line {number}: {len(cells)} cells where the header has {width}")
            yield number, cells + [""] * (width - len(cells))

    def find_column(self, name: str) -> int:
        """The place of a column by its name, in any case. Raises WrongUseError."""
        place = place_of(self.header or [], [exact(name)], exact)
        if place is None:
            raise WrongUseError(f"{self.path.name} has no column named {name}")
        return place


def open_csv(path: Path, names: Sequence[str], column: str | None = None) -> CsvFile:
    """Finds out how the file is written, and which of its columns is meant: `names` in small letters and digits only, the best first.

    A file of one column needs no header. Raises WrongUseError.
    """
    sample = read_sample(path)
    mark, encoding = next(((mark, encoding) for mark, encoding in MARKS if sample.startswith(mark)), (b"", guess_encoding(sample)))
    found = LINE_END.search(sample[len(mark) :].decode(encoding, "replace"))
    line_end = found.group() if found else Format.line_end
    for delimiter in DELIMITERS:
        written = Format(mark, encoding, delimiter, line_end)
        header = next((cells for _, cells in read_rows(path, written)), [])
        place = place_of(header, [exact(column)], exact) if column else place_of(header, names, plain)
        if place is not None:
            return CsvFile(path, written, header, place)
    written = Format(mark, encoding, ",", line_end)
    if column or any(len(cells) > 1 for _, cells in read_rows(path, written)):
        raise WrongUseError(f"{path.name}: no column is named {column or ' or '.join(names)}; use --column NAME")
    return CsvFile(path, written, None, 0)


def read_sample(path: Path) -> bytes:
    """How the file begins. Raises WrongUseError."""
    try:
        with path.open("rb") as file:
            return file.read(SAMPLE)
    except OSError as error:
        raise WrongUseError(f"{path} cannot be read: {error.strerror}") from error


def guess_encoding(sample: bytes) -> str:
    """Without a byte-order mark: every other byte of English in UTF-16 is zero."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    most = max(1, len(sample) // 8)
    return "utf-16-le" if odd > most and odd > even else "utf-16-be" if even > most else "utf-8"


def read_rows(path: Path, written: Format, *, skip_header: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank. Raises WrongUseError."""
    with path.open("rb") as file:
        file.seek(len(written.mark))
        text = io.TextIOWrapper(file, written.encoding, written.errors, newline="")
        lines = Lines(text)
        reader = csv.reader(lines, delimiter=written.delimiter)
        try:
            for cells in reader:
                if lines.ended:
                    raise WrongUseError(f"{path.name}: a quotation mark is opened and never closed; the row ends in line {reader.line_num}")
                if cells and not skip_header:
                    yield reader.line_num, cells
                skip_header = skip_header and not cells
        except (csv.Error, UnicodeError) as error:
            raise WrongUseError(f"{path.name}, line {reader.line_num + 1}: {error}") from error


class Lines:
    """Lines of a text; `ended` is true as soon as one more was asked for than there is: inside a row, a quotation mark is open then."""

    def __init__(self, text: Iterable[str]) -> None:
        self._lines, self.ended = iter(text), False

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        for line in self._lines:
            return line
        self.ended = True
        raise StopIteration


def place_of(cells: Sequence[str], names: Sequence[str], normalise: Callable[[str], str]) -> int | None:
    """The cell that has the best of the names."""
    normal = [normalise(cell) for cell in cells]
    return next((normal.index(name) for name in names if name in normal), None)


def exact(name: str) -> str:
    """But for case and blanks around it."""
    return name.strip().casefold()


def plain(name: str) -> str:
    """AmazonUserID, amazon_user_id and Amazon User Id are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def defuse(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell


def undefuse(cell: str) -> str:
    """What it was before we wrote it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(DANGEROUS) else cell
