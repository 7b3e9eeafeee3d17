"""SBOMs, held to the schema of CycloneDX."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from bundler.image.model import BaseImage
from bundler.image.sbom import Component, components, distribution, sbom
from bundler.locks.model import Archive, Distribution, Folder, Git, Registry
from bundler.model import Platform, Wheel, digest_of

USUAL_INDEX = "pypi" + "." + "org"
"""Package URLs without a repository mean this one."""


def base_of(reference: str = f"host.example:5000/team/python@{digest_of(b'base')}") -> BaseImage:
    """Return a base."""
    return BaseImage(
        name="host.example:5000/team/python:3.11", reference=reference, digest=digest_of(b"base"), config={},
        layers=(), platform=Platform(architecture="amd64"), python="",
    )  # fmt: skip


def wheel(name: str, version: str = "1.0") -> Wheel:
    """Return a wheel."""
    filename = f"{name}-{version}-py3-none-any.whl"
    return Wheel(
        name=name, version=version, filename=filename, sha256=digest_of(name.encode())[7:], path=Path(filename)
    )


def made(wheels: list[Wheel], distributions: list[Distribution], version: str = "1.2") -> dict[str, Any]:
    """Return an SBOM after holding it to the schema."""
    found = (*components(wheels, distributions), distribution("trigger-sdk", "0.1"))
    content = sbom(name="shop", version=version, components=found, base=base_of())
    validator = JsonStrictValidator(SchemaVersion.V1_5)
    assert validator.validate_str(content.decode()) is None
    fields = json.loads(content)
    assert isinstance(fields, dict)
    return fields


def test_sbom_keeps_to_the_schema() -> None:
    """The project, the base, the distributions with the digests of their wheels, and the SDK."""
    fields = made([wheel("zope.interface", "7.0+local"), wheel("httpx")], [])
    assert (fields["bomFormat"], fields["specVersion"], fields["version"]) == ("CycloneDX", "1.5", 1)
    assert fields["metadata"]["component"] == {
        "type": "application", "bom-ref": "project", "name": "shop", "version": "1.2",
    }  # fmt: skip
    assert "timestamp" not in fields["metadata"]
    base, *others = fields["components"]
    assert base["purl"] == (
        f"pkg:oci/python@sha256%3A{digest_of(b'base')[7:]}?arch=amd64&repository_url=host.example:5000/team/python"
    )
    assert [(one["name"], one["purl"]) for one in others] == [
        ("httpx", "pkg:pypi/httpx@1.0"),
        ("trigger-sdk", "pkg:pypi/trigger-sdk@0.1"),
        ("zope.interface", "pkg:pypi/zope.interface@7.0%2Blocal"),
    ]
    assert others[0]["hashes"] == [{"alg": "SHA-256", "content": digest_of(b"httpx")[7:]}]
    assert "hashes" not in others[1]


def test_sbom_of_nothing_keeps_to_the_schema() -> None:
    """A project without a version, a base without a name in a registry."""
    validator = JsonStrictValidator(SchemaVersion.V1_5)
    content = sbom(name="shop", version="", components=[], base=base_of(""))
    assert validator.validate_str(content.decode()) is None


def test_validator_refuses_what_breaks_the_schema() -> None:
    """The test above would notice."""
    validator = JsonStrictValidator(SchemaVersion.V1_5)
    fields = made([wheel("httpx")], [])
    fields["components"][1]["colour"] = "red"
    assert validator.validate_str(json.dumps(fields)) is not None


@pytest.mark.parametrize(
    ("source", "qualifiers"),
    [
        (Registry(), ""),
        (Registry(index=f"https://{USUAL_INDEX}/simple"), ""),
        (
            Registry(index="https://user:s3cr3t@index.example/simple/?token=s3cr3t"),
            "?repository_url=https://index.example/simple",
        ),
        (
            Git(url="https://git.example/a b.git", commit="a" * 40),
            f"?vcs_url=git%2Bhttps://git.example/a%20b.git%40{'a' * 40}",
        ),
        (
            Archive(location="https://u:s3cr3t@x.example/a.whl?sig=s3cr3t#sha256=1"),
            "?download_url=https://x.example/a.whl",
        ),
        (Archive(location="/srv/wheels/a.whl"), ""),
        (Folder(path=Path("/srv/project/a")), ""),
    ],
)
def test_purl_tells_where_a_distribution_is_from(source: Any, qualifiers: str) -> None:
    """Without logins, and without paths of this machine."""
    (found,) = components([wheel("a")], [Distribution(name="a", version="1.0", source=source)])
    assert found.purl == f"pkg:pypi/a@1.0{qualifiers}"
    assert "s3cr3t" not in str(made([wheel("a")], [Distribution(name="a", version="1.0", source=source)]))


def test_order_does_not_matter() -> None:
    """The same contents have the same bytes, and the same number; others have another."""
    one = [Component(name=name, version="1", purl=f"pkg:pypi/{name}@1") for name in ("b", "a", "c")]
    contents = [sbom(name="x", version="1", components=found, base=base_of()) for found in (one, one[::-1], one + one)]
    assert len(set(contents)) == 1
    other = sbom(name="x", version="1", components=one[:2], base=base_of())
    assert json.loads(other)["serialNumber"] != json.loads(contents[0])["serialNumber"]
