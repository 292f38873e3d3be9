"""CSV: questions with answers, or rows of facts."""

import csv
import io

from chat.reading.errors import Text, UnreadableError
from chat.reading.plain import decoded

MAX_ROWS = 5_000
QUESTION = {"question", "frage", "pregunta", "domanda"}
ANSWER = {"answer", "antwort", "réponse", "respuesta", "risposta"}


def table(data: bytes) -> Text:
    """With columns for question and answer a heading with its text a row; else one paragraph a row that names its
    columns, so that a passage is understood without the table's head."""
    rows = _rows(decoded(data))
    if len(rows) < 2:
        raise UnreadableError("The table needs a first row with the columns' names, and rows below it.")
    head = [name.strip() for name in rows[0]]
    question, answer = _column(head, QUESTION), _column(head, ANSWER)
    if question is not None and answer is not None:
        pairs = [(_cell(row, question), _cell(row, answer)) for row in rows[1:]]
        return Text("", "\n\n".join(f"## {ask}\n\n{reply}" for ask, reply in pairs if ask and reply))
    return Text("", "\n\n".join(filter(None, (_paragraph(head, row) for row in rows[1:]))))


def _rows(text: str) -> list[list[str]]:
    csv.field_size_limit(100_000)
    delimiter = max(",;\t|", key=text.partition("\n")[0].count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) > MAX_ROWS:
                raise UnreadableError(f"The table is too long: at most {MAX_ROWS:,} rows.")
            if any(cell.strip() for cell in row):
                rows.append(row)
    except csv.Error as error:
        raise UnreadableError(f"The table can't be read: {error}.") from None
    return rows


def _column(head: list[str], names: set[str]) -> int | None:
    return next((number for number, name in enumerate(head) if name.casefold() in names), None)


def _cell(row: list[str], number: int) -> str:
    return " ".join(row[number].split()) if number < len(row) else ""


def _paragraph(head: list[str], row: list[str]) -> str:
    cells = ((head[n] if n < len(head) else "", _cell(row, n)) for n in range(len(row)))
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
