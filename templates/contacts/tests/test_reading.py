"""Reading a file is pure, so it is tested without any service."""

from pathlib import Path

import pytest

from reading import read_contacts

UPLOADS = Path(__file__).parent.parent / "uploads"


def test_a_good_file_is_read_whole() -> None:
    contacts, mistakes = read_contacts((UPLOADS / "contacts.csv").read_bytes())
    assert mistakes == []
    assert len(contacts) == 24
    assert [contact.name for contact in contacts[7:12]] == [
        "Müller, Pina",
        "Søren Ødegård",
        "Åse Lindqvist",
        "田中 花子",
        'Katherine "Kay" Johnson',
    ]


def test_every_mistake_is_found() -> None:
    _, mistakes = read_contacts((UPLOADS / "contacts_bad_rows.csv").read_bytes())
    assert [str(mistake) for mistake in mistakes] == [
        "line 3, email: 'charles at analytical' is no e-mail address",
        "line 4, name: is empty",
        "line 6, email: ada@analytical.example is in line 2 already",
        "line 7, email: is empty",
        "line 8: there are more values than columns",
    ]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("contacts_semicolons.csv", "line 1: there is no column 'name' and no 'email'"),
        ("contacts_latin1.csv", "line 3: this is not UTF-8 text"),
    ],
)
def test_a_file_that_is_none(file: str, reason: str) -> None:
    contacts, mistakes = read_contacts((UPLOADS / file).read_bytes())
    assert contacts == []
    assert [str(mistake).partition(";")[0] for mistake in mistakes] == [reason]


@pytest.mark.parametrize("content", [b"", b"name,email\n", b'name,email\n"Ada,ada@a.example\n'])
def test_a_file_without_contacts(content: bytes) -> None:
    contacts, mistakes = read_contacts(content)
    assert contacts == []
    assert len(mistakes) == 1
