"""Hears how far a build is, and keeps what it heard."""


class Told:
    """Keeps what was told of progress, and what commands wrote."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.open: list[str] = []
        self.total: int | None = None
        self.amount = 0
        self.lines: list[str] = []

    def start(self, name: str, total: int | None = None) -> None:
        self.names.append(name)
        self.open.append(name)
        self.total = total if total is not None else self.total

    def advance(self, name: str, amount: int) -> None:
        assert name in self.open
        self.amount += amount

    def finish(self, name: str) -> None:
        self.open.remove(name)
