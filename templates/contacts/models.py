"""What comes in, what goes out, and what the tasks return."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

EmailAddress = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Upload(BaseModel):
    """A CSV file was uploaded. The payload of the job."""

    file: str
    notify: EmailAddress


class Contact(BaseModel):
    """One row of the file."""

    name: Text
    email: EmailAddress
    phone: str = ""

    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]


class Company(BaseModel):
    """What the directory knows of a domain."""

    name: str
    industry: str
    employees: int


class Mistake(BaseModel):
    """What is wrong in the file, and where."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.reason}" if self.column else f"line {self.line}: {self.reason}"


class Report(BaseModel):
    """What an import comes to."""

    state: Literal["imported", "rejected"]
    created: int = 0
    skipped: int = 0
    enriched: int = 0
    mistakes: list[Mistake] = []
