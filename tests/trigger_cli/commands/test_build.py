"""`trigger build`: what it says of what it made, and its options."""

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.registry_process import Auth, RegistryProcess
from tests.rig.build_command import BuildCommand, small_base
from tests.rig.bundled_project import GREETER

REFERENCE = re.compile(r"(\S+)@(sha256:[0-9a-f]{64})\n")


def explained(err: str) -> dict[str, str]:
    """Return what `--explain` says of each layer, by the layer's name."""
    rows = re.findall(r"^  (\S.*?) {2,}\d\S* k?M?B  (.*)$", err, re.MULTILINE)
    return {name.split(" ")[0] if name.startswith("base") else name: why for name, why in rows}


def test_standard_output_is_the_reference_alone(
    build: BuildCommand, shared_registry: Callable[[Auth], RegistryProcess], tmp_path: Path
) -> None:
    """With the same digest wherever it goes, and whether anything was in the cache."""
    repository = f"{shared_registry('none').host}/cli/alone"
    ends = [
        build("-o", "oci:../out"),
        build("--output", f"tar:{tmp_path}/out.tar"),
        build("--repository", repository, "--tag", "v1,v2", "-t", "v3"),
    ]
    found = [REFERENCE.fullmatch(ended.out) for ended in ends]
    places = [match[1] for match in found if match]
    assert places == [f"{build.folder}/../out", f"{tmp_path}/out.tar", repository], ends
    assert len({match[2] for match in found if match}) == 1
    with tarfile.open(tmp_path / "out.tar") as archive:
        assert "index.json" in archive.getnames()


def test_json_is_the_result_alone(build: BuildCommand) -> None:
    """The reference, the digest, the jobs, and each image with its layers."""
    ended = build("-o", "oci:../out", "--json")
    result = json.loads(ended.out)
    assert result["reference"] == f"{build.folder}/../out@{result['digest']}"
    assert result["jobs"] == ["hello"]
    (image,) = result["images"]
    assert image["platform"] == "linux/amd64"
    assert image["base"]["name"].startswith("oci:")
    names = [layer["name"] for layer in image["layers"]]
    assert names == ["wheel greeter 1.0", "2 wheels", "trigger-sdk 0.1.0", "project", "manifest"]
    assert {layer["reason"] for layer in image["layers"]} == {"not in the cache"}
    assert (result["warnings"], result["notes"]) == ([], [])


def test_list_files_builds_nothing(build: BuildCommand) -> None:
    """What goes in with sizes; not what never does; as text and as JSON. Nothing is made, not even a cache."""
    build.project.configure('include = ["data/*.csv"]\nexclude = ["shop/old.py"]')
    for place in ("data/a.csv", "data/b.txt", "shop/old.py", ".env.local", ".git/config"):
        build.project.write(place, "x" * 2000)
    ended = build("--list-files")
    assert ended.code == 0, ended.err
    assert re.search(r"^2.0 kB  data/a\.csv$", ended.out, re.MULTILINE)
    listed = build("--list-files", "--json")
    found = json.loads(listed.out)
    assert [each["path"] for each in found["files"]] == [
        "data/a.csv", "jobs/hello.py", "pyproject.toml", "shop/__init__.py", "shop/prices.py",
    ]  # fmt: skip
    assert "data/b.txt" in found["not_included"]
    assert ".env" not in ended.out + listed.out
    assert ".git" not in ended.out + listed.out
    assert not build.cache.exists()


def test_file_that_no_job_reaches_is_a_warning(build: BuildCommand) -> None:
    """Tests and scripts that import what is not locked: with what leaves them out, and nothing of what jobs need."""
    build.project.write("tests/test_hello.py", "import pytest\n")
    build.project.write("shop/tool.py", "import pandas\n")
    ended = build("-o", "oci:../out")
    assert ended.code == 0, ended.err
    assert 'No job reaches this file. Leave it out of the image: exclude = ["tests"]' in ended.err
    assert 'exclude = ["shop/tool.py"]' in ended.err
    build.project.configure('exclude = ["tests", "shop/tool.py"]')
    assert "warning" not in build("-o", "oci:../out").err


def test_image_holds_no_earlier_image(build: BuildCommand) -> None:
    """Of a project that includes everything, and is built into its own folder: the same the second time."""
    build.project.configure('include = ["**"]')
    first, second = (build("-o", "oci:images/out") for _ in range(2))
    assert first.code == 0, first.err
    assert first.out == second.out
    assert "images" not in build("--list-files").out


def test_explain_names_what_changed(build: BuildCommand) -> None:
    """First nothing was there, then everything; then a file, a wheel, a setting: only what it is in is made anew."""
    first = explained(build("-o", "oci:../out", "--explain").err)
    own = ["wheel greeter 1.0", "2 wheels", "trigger-sdk 0.1.0", "project", "manifest"]
    assert first == {"base": "as it is", **dict.fromkeys(own, "made anew: not in the cache")}
    again = explained(build("-o", "oci:../out", "--explain").err)
    assert again == {"base": "as it is", **dict.fromkeys(own, "as it was")}
    build.project.write("shop/prices.py", "def price(count: int) -> int:\n    return 22 * count\n")
    changed = explained(build("-o", "oci:../out", "--explain").err)
    assert changed == {**again, "project": "made anew: shop/prices.py changed"}
    build.project.relock("greeter", {**GREETER, "greeter/more.py": b""}, "1.1")
    relocked = explained(build("-o", "oci:../out", "--explain").err)
    assert relocked.pop("wheel greeter 1.1") == "made anew: greeter 1.0 to 1.1"
    assert set(relocked.values()) == {"as it is", "as it was"}


def test_explain_names_settings_and_damage(build: BuildCommand) -> None:
    """A setting that changes all layers, and contents of the cache that were cut short."""
    build("-o", "oci:../out")
    build.project.configure("bytecode = true")
    compiled = explained(build("-o", "oci:../out", "--explain").err)
    assert compiled["trigger-sdk 0.1.0"] == compiled["2 wheels"] == "made anew: bytecode changed"
    assert "bytecode changed" in compiled["project"]
    digest = build.layout().digest
    for blob in build.cache.rglob("blobs/??/*"):
        blob.write_bytes(blob.read_bytes()[:-1])
    mended = build("-o", "oci:../other", "--explain")
    assert mended.out.endswith(f"@{digest}\n")
    # The manifest is in no cache: it is made from memory.
    found = {why for name, why in explained(mended.err).items() if name not in ("base", "manifest")}
    assert found == {"made anew: its entry in the cache was missing or damaged"}


def test_dockerfile_is_shown_and_nothing_is_built(build: BuildCommand) -> None:
    """What an engine would be given, without one."""
    build.project.configure('apt = ["libpq5"]\nrun = ["echo hello > /etc/greeting"]\nenv = { TZ = "UTC" }')
    ended = build("--dockerfile", DOCKER_HOST="unix:///nowhere.sock")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[1].startswith("FROM sha256:")
    assert "libpq5" in ended.out
    assert "echo hello > /etc/greeting" in ended.out
    assert 'TZ="UTC"' in ended.out
    assert "USER 10001:10001" in lines
    assert lines[-1] == 'ENTRYPOINT ["/opt/trigger/bin/python", "-P", "-m", "trigger_sdk.container"]'


def test_verbose_names_the_source_of_credentials(
    build: BuildCommand, shared_registry: Callable[[Auth], RegistryProcess]
) -> None:
    """For each host that asked for some; and what took how long. Never the secret."""
    host = shared_registry("htpasswd").host
    file = build.log_in(host)
    ended = build("--repository", f"{host}/cli/verbose", "-v")
    assert ended.code == 0, ended.err
    assert f"credentials for {host}: auths['{host}'] in {file}\n" in ended.err
    assert re.search(r"^make layers: \d\.\d\d s$", ended.err, re.MULTILINE)
    assert "s3cr3t" not in ended.err
    assert "credentials for" not in build("--repository", f"{host}/cli/verbose").err


def test_options_go_before_the_configuration(
    build: BuildCommand, shared_registry: Callable[[Auth], RegistryProcess]
) -> None:
    """Repository, tags, base and platform; what is not given is as configured."""
    host = shared_registry("none").host
    base = small_base(build.folder.parent / "other-base")
    table = f'repository = "{host}/cli/first"\ntags = ["one"]\nbase = "oci:nowhere"\nplatforms = ["linux/arm64"]'
    build.project.configure(table)
    assert build("--base", base).out.startswith(f"{host}/cli/first@")
    result = json.loads(
        build("--base", base, "--repository", f"{host}/cli/second", "--platform", "linux/amd64", "--json").out
    )
    assert result["reference"].startswith(f"{host}/cli/second@")
    assert [image["platform"] for image in result["images"]] == ["linux/amd64"]
    assert result["images"][0]["base"]["name"] == "oci:other-base"


def test_plain_http_is_by_request_only(build: BuildCommand, shared_registry: Callable[[Auth], RegistryProcess]) -> None:
    """A host that is not this machine is spoken to with TLS, unless its name is given; here through a proxy."""
    proxy = f"http://{shared_registry('none').host}"
    repository = "registry.example:8080/cli/plain"
    refused = build("--repository", repository, http_proxy=proxy)
    assert (refused.code, refused.out) == (3, ""), refused
    ended = build("--repository", repository, "--plain-http", "registry.example:8080", http_proxy=proxy)
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"{repository}@sha256:")


def test_source_date_is_the_time_of_the_image(build: BuildCommand) -> None:
    """In config and label; without it, and for 0, there is none but 1970."""
    plain = build.layout(name="plain")
    assert plain.image().config["created"] == "1970-01-01T00:00:00Z"
    assert "org.opencontainers.image.created" not in plain.image().labels
    dated = build.layout(name="dated", SOURCE_DATE_EPOCH="1700000000")
    assert dated.image().config["created"] == "2023-11-14T22:13:20Z"
    assert dated.image().labels["org.opencontainers.image.created"] == "2023-11-14T22:13:20Z"
    assert build.layout(name="again", SOURCE_DATE_EPOCH="1700000000").digest == dated.digest != plain.digest
    assert build.layout(name="zero", SOURCE_DATE_EPOCH="0").digest == plain.digest


@pytest.mark.parametrize("argv", [["--platform", "linux/amd64,linux/arm64"], ["--platform", "linux/arm64",
                                   "--platform", "linux/amd64"]])  # fmt: skip
def test_two_platforms_have_an_index(build: BuildCommand, argv: list[str]) -> None:
    """Each has its own base, its own wheels, and the same project and jobs; read back from the layout."""
    build.project.relock_native(
        "native",
        {
            "py3-none-manylinux_2_17_x86_64": {"native/machine.py": b"NAME = 'x86_64'\n"},
            "py3-none-manylinux_2_17_aarch64": {"native/machine.py": b"NAME = 'aarch64'\n"},
        },
    )
    found = build.layout(*argv)
    assert found.top["mediaType"] == "application/vnd.oci.image.index.v1+json"
    seen = []
    for architecture, machine in (("amd64", b"x86_64"), ("arm64", b"aarch64")):
        image = found.image(architecture)
        assert (image.config["architecture"], image.config["os"]) == (architecture, "linux")
        (native,) = (content for path, content in image.files.items() if path.endswith("native/machine.py"))
        assert machine in native
        seen.append((image.files["app/jobs/hello.py"], image.files["app/.trigger/manifest.json"]))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("glibc", "chosen"), [("2.36", b"new"), ("2.28", b"old")])
def test_wheels_run_on_the_c_library_of_the_base(build: BuildCommand, glibc: str, chosen: bytes) -> None:
    """A base with an older one gets the wheel that was made for it."""
    files = {"2_34": {"native.py": b"MADE = 'new'\n"}, "2_17": {"native.py": b"MADE = 'old'\n"}}
    build.project.relock_native(
        "native", {f"py3-none-manylinux_{version}_x86_64": contents for version, contents in files.items()}
    )
    image = build.layout("--base", small_base(build.folder.parent / "other", glibc=glibc)).image()
    (native,) = (content for path, content in image.files.items() if path.endswith("site-packages/native.py"))
    assert chosen in native


def test_groups_and_extras_go_in_when_they_are_named(build: BuildCommand) -> None:
    """What the lock has for them alone is not in an image that does not ask."""
    build.project.relock("quick", {"quick.py": b""}, marker="'fast' in extras")
    build.project.relock("chart", {"chart.py": b""}, marker="'jobs' in dependency_groups")
    names = ("quick.py", "chart.py")

    def inside(table: str) -> list[str]:
        build.project.configure(table)
        files = build.layout(name=f"out-{len(table)}").image().files
        return [name for name in names if any(path.endswith(f"site-packages/{name}") for path in files)]

    assert inside("") == []
    assert inside('groups = ["jobs"]') == ["chart.py"]
    assert inside('extras = ["fast"]\ngroups = ["jobs"]') == ["quick.py", "chart.py"]
    build.project.configure('extras = ["quick"]')
    wrong = build("-o", "oci:../out")
    assert (wrong.code, "lock-stale" in wrong.err, "quick" in wrong.err) == (3, True, True), wrong


def test_image_says_what_it_is(build: BuildCommand) -> None:
    """User, entry point, place, labels: of the project, its jobs, its SDK and its base."""
    image = build.layout().image()
    run = image.config["config"]
    assert run["User"] == "10001:10001"
    assert run["Entrypoint"] == ["/opt/trigger/bin/python", "-P", "-m", "trigger_sdk.container"]
    assert run["WorkingDir"] == "/app"
    assert image.labels["org.opencontainers.image.version"] == "1.2"
    assert json.loads(image.labels["dev.trigger.manifest"])["jobs"][0]["id"] == "hello"
    assert image.labels["dev.trigger.sdk"] == "0.1.0"
