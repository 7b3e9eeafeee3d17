"""An open database that hands everything on to another one: what the doubles of stores begin with."""

from __future__ import annotations

from contextlib import AbstractContextManager

from engine.clock import Clock
from engine.errors import StoreError
from engine.store.interface import Begun, Link, OpenStore, Reader, Writer


class WrappedStore:
    """Hands on; what a double does otherwise, it overrides."""

    def __init__(self, inner: OpenStore) -> None:
        self._inner = inner

    @property
    def writer(self) -> Writer:
        return self._inner.writer

    @property
    def quick(self) -> bool:
        return self._inner.quick

    @property
    def executor(self) -> str:
        return self._inner.executor

    @property
    def clock(self) -> Clock:
        return self._inner.clock

    def begin(self, *, wait: bool = True, local: bool = False, numbers: int = 0) -> Begun:
        return self._inner.begin(wait=wait, local=local, numbers=numbers)

    def signal(self, text: str) -> None:
        self._inner.signal(text)

    def took_place(self) -> bool:
        return self._inner.took_place()

    def collided(self, error: Exception) -> bool:
        return self._inner.collided(error)

    def link(self) -> Link | None:
        return self._inner.link()

    def tidy(self) -> None:
        self._inner.tidy()

    def commit(self) -> None:
        self._inner.commit()

    def rollback(self) -> None:
        self._inner.rollback()

    def reader(self) -> AbstractContextManager[Reader]:
        return self._inner.reader()

    def explain(self, error: Exception) -> StoreError | None:
        return self._inner.explain(error)

    def close(self) -> None:
        self._inner.close()
