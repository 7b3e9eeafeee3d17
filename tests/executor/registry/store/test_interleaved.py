"""Uploads that are interleaved at random, against a model: what is published is whole, and nothing else counts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from executor.registry.errors import DigestInvalid, RegistryRefused, UploadSuperseded
from executor.registry.store.limits import Limits
from executor.registry.store.store import ImageStore
from executor.registry.store.uploads import Upload
from tests.fakes.image_registry import OCI_MANIFEST, digest_of, image

REPOSITORIES = ("prod/app", "prod/other", "staging/app")
CONTENTS = [b"", b"{}", b"a" * 10, b"b" * 5000, b"c" * 70_000]


class Uploading(RuleBasedStateMachine):
    """Pushes that go on, break off, are taken over, end wrongly and rightly, beside collections and restarts."""

    open_uploads: Bundle[tuple[str, str, bytes]] = Bundle("open_uploads")

    @initialize()
    def opens(self) -> None:
        """Open an empty folder."""
        self.folder = Path(tempfile.mkdtemp(prefix="uploading-"))
        self.time = 0.0
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.tags: dict[tuple[str, str], bytes] = {}
        self.store = self.opened()

    def opened(self) -> ImageStore:
        """Return the store."""
        return ImageStore.open(self.folder, limits=Limits(spare_bytes=0), clock=lambda: self.time)

    def upload(self, repository: str, id: str) -> Upload | None:
        """Return an upload that is still open."""
        try:
            return self.store.upload(repository, id)
        except RegistryRefused:
            return None

    @rule(target=open_uploads, repository=st.sampled_from(REPOSITORIES), content=st.sampled_from(CONTENTS))
    def begin(self, repository: str, content: bytes) -> tuple[str, str, bytes]:
        """Begin an upload of some bytes."""
        return repository, self.store.begin_upload(repository).id, content

    @rule(which=open_uploads, part=st.floats(0, 1), keeps=st.booleans())
    def send(self, which: tuple[str, str, bytes], part: float, keeps: bool) -> None:
        """Send a part of what is left; a request that announces more than it sends keeps nothing."""
        repository, id, content = which
        if (upload := self.upload(repository, id)) is None:
            return
        start = upload.offset
        piece = content[start : start + int(part * (len(content) - start))]
        writer = upload.begin(at=start, expected=len(piece) + (not keeps))
        self.store.write(writer, [piece[:3], piece[3:]])
        if keeps:
            writer.complete()
            assert upload.offset == start + len(piece)
        else:
            try:
                writer.complete()
            except RegistryRefused:
                assert upload.offset == start
        upload.end(writer)

    @rule(which=open_uploads, part=st.floats(0, 1))
    def supersede(self, which: tuple[str, str, bytes], part: float) -> None:
        """A request hangs; another goes on; the first may write nothing any more."""
        repository, id, content = which
        if (upload := self.upload(repository, id)) is None:
            return
        start = upload.offset
        first = upload.begin()
        second = upload.begin(at=start)
        piece = content[start : start + int(part * (len(content) - start))]
        self.store.write(second, [piece])
        with pytest.raises(UploadSuperseded):
            self.store.write(first, [b"zzz"])
        with pytest.raises(UploadSuperseded):
            self.store.publish(first, digest_of(content))
        assert upload.offset == start + len(piece)
        upload.end(second)

    @rule(which=consumes(open_uploads))
    def publish(self, which: tuple[str, str, bytes]) -> None:
        """End an upload by the digest of all its bytes: right when all of them came, else refused."""
        repository, id, content = which
        if (upload := self.upload(repository, id)) is None:
            return
        is_whole = upload.offset == len(content)
        writer = upload.begin()
        try:
            self.store.publish(writer, digest_of(content))
        except DigestInvalid:
            assert not is_whole
        else:
            assert is_whole
            self.blobs[repository, digest_of(content)] = content
        assert self.upload(repository, id) is None

    @rule(which=consumes(open_uploads))
    def cancel(self, which: tuple[str, str, bytes]) -> None:
        """Give an upload up."""
        if (upload := self.upload(which[0], which[1])) is not None:
            self.store.cancel_upload(upload)

    @rule(
        repository=st.sampled_from(REPOSITORIES),
        source=st.sampled_from(REPOSITORIES),
        content=st.sampled_from(CONTENTS),
    )
    def mount(self, repository: str, source: str, content: bytes) -> None:
        """Mount a blob where it is."""
        is_there = (source, digest_of(content)) in self.blobs
        assert self.store.mount(repository, source, digest_of(content)) == is_there
        if is_there:
            self.blobs[repository, digest_of(content)] = content

    @rule(repository=st.sampled_from(REPOSITORIES), layer=st.sampled_from(CONTENTS), tag=st.sampled_from("ab"))
    def tag(self, repository: str, layer: bytes, tag: str) -> None:
        """Push a manifest; refused unless all its parts are there."""
        manifest = image(b"{}", layer)
        is_complete = {(repository, digest_of(each)) for each in (b"{}", layer)} <= self.blobs.keys()
        try:
            self.store.put_manifest(
                repository, manifest, media_type=OCI_MANIFEST, digest=digest_of(manifest), tags=[tag]
            )
        except RegistryRefused:
            assert not is_complete
        else:
            assert is_complete
            self.tags[repository, tag] = layer

    @rule(later=st.sampled_from([0.0, 10.0, 4000.0]))
    def collect(self, later: float) -> None:
        """Remove what nothing needs; after an hour that is all that no tag stands for."""
        self.time += later
        self.store.expire_uploads()
        self.store.collect(())
        if later > self.store.limits.grace_s:
            needed = {
                (repository, digest_of(each)) for (repository, _), layer in self.tags.items() for each in (b"{}", layer)
            }
            self.blobs = {key: content for key, content in self.blobs.items() if key in needed}

    @rule()
    def restart(self) -> None:
        """Open the folder again, as after a crash: nothing is written when a store is closed."""
        self.store.close()
        self.store = self.opened()

    @invariant()
    def what_counts_is_whole(self) -> None:
        """Every blob of the model is there, byte for byte, and none else; so are the tags."""
        if not hasattr(self, "store"):
            return
        # By the index's own parts: asking for a blob would keep it from being collected.
        parts = self.store.index._repositories
        assert {(name, digest) for name, each in parts.items() for digest in each.blobs} == set(self.blobs)
        for digest, content in {digest: content for (_, digest), content in self.blobs.items()}.items():
            assert self.store._layout.content(digest).read_bytes() == content
        tags = {(name, tag): digest for name, each in parts.items() for tag, digest in each.tags.items()}
        assert tags == {key: digest_of(image(b"{}", layer)) for key, layer in self.tags.items()}

    def teardown(self) -> None:
        """Remove the folder."""
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


Uploading.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
test_interleaved_uploads = Uploading.TestCase
