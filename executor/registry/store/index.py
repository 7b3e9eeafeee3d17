"""What is kept, in memory: which repository has which blobs, manifests and tags, and what those take.

It is read from the folder at the start and changed after the folder was. Every method takes microseconds and may be
called from any thread; the bigger ones take one repository at a time.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from executor.registry.store.limits import charge
from executor.registry.store.manifests import Manifest


@dataclass(slots=True, kw_only=True)
class Repository:
    """What one repository has.

    Attributes:
        blobs: digest to size.
        manifests: digest to what it is.
        tags: tag to digest.
        referrers: digest of a subject to the digests of the manifests that tell about it.
        seen: digest to when it was pushed, or somebody was told that it is there; monotonic seconds.
    """

    blobs: dict[str, int] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    referrers: dict[str, set[str]] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing."""
        return not (self.blobs or self.manifests)

    def reachable(self, roots: Iterable[str]) -> set[str]:
        """Return the manifests and blobs that some manifests need: their parts, and what tells about them."""
        found: set[str] = set()
        waiting = [digest for digest in roots if digest in self.manifests]
        while waiting:
            digest = waiting.pop()
            if digest in found:
                continue
            found.add(digest)
            manifest = self.manifests.get(digest)
            if manifest is not None:
                found.update(part.digest for part in manifest.blobs)
                waiting += [part.digest for part in manifest.manifests]
                waiting += self.referrers.get(digest, ())
        return found

    def parents(self, digest: str) -> list[str]:
        """Return the manifests that have something as a part."""
        return [
            manifest.digest
            for manifest in self.manifests.values()
            if any(part.digest == digest for part in (*manifest.blobs, *manifest.manifests))
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was taken out of one repository: digests."""

    blobs: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Index:
    """All repositories.

    Args:
        environment_of: which environment a repository belongs to.
        clock: monotonic seconds.
    """

    def __init__(self, *, environment_of: Callable[[str], str], clock: Callable[[], float]) -> None:
        self._environment_of = environment_of
        self._clock = clock
        self._lock = threading.Lock()
        self._repositories: dict[str, Repository] = {}
        self._holders: Counter[str] = Counter()
        self._shares: dict[str, Counter[str]] = {}
        self._repository_bytes: Counter[str] = Counter()
        self._environment_bytes: Counter[str] = Counter()

    # --- looking ---

    def names(self) -> list[str]:
        """Return the names of the repositories that have something."""
        with self._lock:
            return sorted(self._repositories)

    def blob(self, name: str, digest: str) -> int | None:
        """Return the size of a repository's blob, or None; who asked may rely on it for the grace."""
        with self._lock:
            repository = self._repositories.get(name)
            if repository is None or digest not in repository.blobs:
                return None
            repository.seen[digest] = self._clock()
            return repository.blobs[digest]

    def manifest(self, name: str, reference: str) -> Manifest | None:
        """Return a repository's manifest by tag or digest, or None; who asked may rely on it for the grace."""
        with self._lock:
            repository = self._repositories.get(name)
            if repository is None:
                return None
            manifest = repository.manifests.get(repository.tags.get(reference, reference))
            if manifest is not None:
                repository.seen[manifest.digest] = self._clock()
            return manifest

    def tags(self, name: str) -> dict[str, str] | None:
        """Return a repository's tags and their digests; None when it has nothing at all."""
        with self._lock:
            repository = self._repositories.get(name)
            return None if repository is None else dict(repository.tags)

    def referrers(self, name: str, subject: str) -> list[Manifest]:
        """Return the manifests that tell about another, in the order of their digests."""
        with self._lock:
            repository = self._repositories.get(name)
            if repository is None:
                return []
            return [repository.manifests[digest] for digest in sorted(repository.referrers.get(subject, ()))]

    def parents(self, name: str, digest: str) -> list[str]:
        """Return the manifests of a repository that have something as a part."""
        with self._lock:
            repository = self._repositories.get(name)
            return [] if repository is None else repository.parents(digest)

    def is_held(self, digest: str) -> bool:
        """Tell whether any repository has something."""
        with self._lock:
            return self._holders[digest] > 0

    def held(self) -> int:
        """Return the bytes of everything, each once."""
        with self._lock:
            sizes: dict[str, int] = {}
            for repository in self._repositories.values():
                sizes.update(repository.blobs)
                sizes.update({digest: each.size for digest, each in repository.manifests.items()})
            return sum(sizes.values())

    def usage(self, name: str) -> tuple[int, int]:
        """Return the bytes that count for a repository, and for its environment."""
        with self._lock:
            return self._repository_bytes[name], self._environment_bytes[self._environment_of(name)]

    # --- changing ---

    def add_blob(self, name: str, digest: str, size: int) -> None:
        """A repository has a blob."""
        with self._lock:
            repository = self._repositories.setdefault(name, Repository())
            repository.seen[digest] = self._clock()
            if digest not in repository.blobs:
                repository.blobs[digest] = size
                self._hold(name, digest, size)

    def add_manifest(self, name: str, manifest: Manifest) -> None:
        """A repository has a manifest; one that it had as another media type is replaced."""
        with self._lock:
            repository = self._repositories.setdefault(name, Repository())
            repository.seen[manifest.digest] = self._clock()
            if manifest.digest not in repository.manifests:
                self._hold(name, manifest.digest, manifest.size)
            repository.manifests[manifest.digest] = manifest
            if manifest.subject:
                repository.referrers.setdefault(manifest.subject, set()).add(manifest.digest)

    def add_tag(self, name: str, tag: str, digest: str) -> None:
        """A tag stands for a manifest that is there; what it stood for before is kept for the grace."""
        with self._lock:
            repository = self._repositories[name]
            before = repository.tags.get(tag)
            if before is not None:
                repository.seen[before] = self._clock()
            repository.tags[tag] = digest

    def remove_tag(self, name: str, tag: str) -> bool:
        """A tag stands for nothing any more; False when it did not before."""
        with self._lock:
            repository = self._repositories.get(name)
            if repository is None or tag not in repository.tags:
                return False
            repository.seen[repository.tags.pop(tag)] = self._clock()
            return True

    def remove(self, name: str, *, blobs: Iterable[str] = (), manifests: Iterable[str] = ()) -> Removed:
        """A repository has some things no more, nor the tags that stood for them. Returns what it had of them."""
        with self._lock:
            return self._remove(name, blobs, manifests)

    def remove_unneeded(self, name: str, in_use: Collection[str], *, grace_s: float) -> Removed:
        """Take out of a repository what neither its tags nor what is in use needs, and nobody asked for of late."""
        with self._lock:
            repository = self._repositories.get(name)
            if repository is None:
                return Removed()
            since = self._clock() - grace_s
            recent = {digest for digest, seen in repository.seen.items() if seen > since}
            kept = repository.reachable({*repository.tags.values(), *in_use, *recent}) | recent
            repository.seen = {digest: repository.seen[digest] for digest in recent}
            return self._remove(
                name, [each for each in repository.blobs if each not in kept],
                [each for each in repository.manifests if each not in kept],
            )  # fmt: skip

    def _remove(self, name: str, blobs: Iterable[str], manifests: Iterable[str]) -> Removed:
        repository = self._repositories.get(name)
        if repository is None:
            return Removed()
        gone_blobs = [digest for digest in blobs if digest in repository.blobs]
        gone_manifests = [digest for digest in manifests if digest in repository.manifests]
        for digest in gone_blobs:
            self._release(name, digest, repository.blobs.pop(digest))
        for digest in gone_manifests:
            manifest = repository.manifests.pop(digest)
            self._release(name, digest, manifest.size)
            told = repository.referrers.get(manifest.subject, set())
            told.discard(digest)
            if not told:
                repository.referrers.pop(manifest.subject, None)
        dead = [tag for tag, digest in repository.tags.items() if digest not in repository.manifests]
        for tag in dead:
            del repository.tags[tag]
        if repository.is_empty:
            del self._repositories[name]
        return Removed(blobs=tuple(gone_blobs), manifests=tuple(gone_manifests), tags=tuple(dead))

    def _hold(self, name: str, digest: str, size: int) -> None:
        environment = self._environment_of(name)
        shares = self._shares.setdefault(environment, Counter())
        self._holders[digest] += 1
        self._repository_bytes[name] += charge(size)
        if not shares[digest]:
            self._environment_bytes[environment] += charge(size)
        shares[digest] += 1

    def _release(self, name: str, digest: str, size: int) -> None:
        environment = self._environment_of(name)
        shares = self._shares[environment]
        self._holders[digest] -= 1
        self._repository_bytes[name] -= charge(size)
        shares[digest] -= 1
        if not shares[digest]:
            self._environment_bytes[environment] -= charge(size)
            del shares[digest]
        if not self._holders[digest]:
            del self._holders[digest]
