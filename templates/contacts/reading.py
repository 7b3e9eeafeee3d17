"""Reads an uploaded file. Pure: it touches nothing but its argument, so a job's body may call it as it is."""

import csv
import io

from pydantic import ValidationError

from models import Contact, Mistake

REQUIRED = ("name", "email")


def read_contacts(content: bytes) -> tuple[list[Contact], list[Mistake]]:
    """Return the contacts of a CSV file, and everything that is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [Mistake(line=line, column="", reason="this is not UTF-8 text; save the file as CSV UTF-8")]
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip().lower() for name in rows.fieldnames or []]
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            reason = f"there is no column {' and no '.join(map(repr, missing))}; columns are separated by commas"
            return [], [Mistake(line=1, column="", reason=reason)]
        rows.fieldnames = columns
        return _read_rows(rows)
    except csv.Error as error:
        return [], [Mistake(line=rows.line_num, column="", reason=str(error))]


def _read_rows(rows: "csv.DictReader[str]") -> tuple[list[Contact], list[Mistake]]:
    contacts: list[Contact] = []
    mistakes: list[Mistake] = []
    lines: dict[str, int] = {}
    for row in rows:
        line = rows.line_num
        if None in row:
            mistakes.append(Mistake(line=line, column="", reason="there are more values than columns"))
            continue
        try:
            contact = Contact.model_validate({name: value or "" for name, value in row.items()})
        except ValidationError as error:
            mistakes += [
                Mistake(line=line, column=str(detail["loc"][0]), reason=_reason(detail["type"], str(detail["input"])))
                for detail in error.errors()
            ]
            continue
        first = lines.setdefault(contact.email, line)
        if first == line:
            contacts.append(contact)
        else:
            mistakes.append(Mistake(line=line, column="email", reason=f"{contact.email} is in line {first} already"))
    if not contacts and not mistakes:
        mistakes.append(Mistake(line=1, column="", reason="there are no contacts in the file"))
    return contacts, mistakes


def _reason(kind: str, value: str) -> str:
    if not value.strip():
        return "is empty"
    return f"{value!r} is no e-mail address" if kind == "string_pattern_mismatch" else f"{value[:40]!r} is too long"
