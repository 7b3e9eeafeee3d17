"""Plans as Dockerfiles: what stands where, and that nothing in them can be anything but itself."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bundler.docker.build import context
from bundler.docker.dockerfile import (
    arguments_of,
    dockerfile,
    environment_instruction,
    instructions,
    labels_instruction,
)
from bundler.docker.engine import Engine
from bundler.docker.errors import PresetUnusable, SystemPlanInvalid
from bundler.docker.presets import PRESETS, presets_of
from bundler.docker.quoting import ARGUMENTS, LINE_END, quoted
from bundler.docker.system_plan import SystemPlan, needs_engine
from bundler.layers.memory_layer import memory_layer
from bundler.model import Platform
from bundler.settings import PRESETS as NAMES
from bundler.settings import BundleSettings
from tests.rig.debian_image import DebianBase
from tests.rig.dockerd_process import DockerdProcess

BASE = f"example.com/python@sha256:{'a' * 64}"


def plan(**changes: Any) -> SystemPlan:
    """Return a plan of small layers."""
    layers = [memory_layer({"x": name.encode()}, name=name) for name in ("wheels", "sdk", "project")]
    whole = SystemPlan(
        base=BASE, platform=Platform(architecture="amd64"), dependencies=(layers[0],), sdk=layers[1],
        project=layers[2], user=10001, group=10002,
    )  # fmt: skip
    return dataclasses.replace(whole, **changes)


def test_what_changes_seldom_stands_first() -> None:
    """Packages, dependencies, SDK, variables and commands come before the project; the user of the jobs is the last."""
    made = plan(
        apt=("bb", "aa=1.0-1"), run=("echo one", "echo two"), env={"A": "1"}, project_env={"PYTHONHASHSEED": "7"},
        labels={"l": "v"}, presets=presets_of(("playwright", "ffmpeg"), {"playwright"}),
    )  # fmt: skip
    text = dockerfile(made)
    lines = [line.strip() for line in text.splitlines()]
    order = [
        f"FROM {BASE}", "USER 0:0", "RUN apt-get update \\", "aa=1.0-1 \\", "ffmpeg \\", 'ENV A="1"', "WORKDIR /",
        'RUN ["/bin/sh", "-c", "echo one"]', 'RUN ["/bin/sh", "-c", "echo two"]', 'ENV PYTHONHASHSEED="7"',
        'LABEL "l"="v"', "WORKDIR /app", "USER 10001:10002", "HEALTHCHECK NONE", "STOPSIGNAL SIGTERM",
        'ENTRYPOINT ["/opt/trigger/bin/python", "-P", "-m", "trigger_sdk.container"]',
    ]  # fmt: skip
    assert [line for line in lines if line in order] == order
    added = [line for line in lines if line.startswith("ADD ")]
    assert added == [f"ADD layers/{layer.blob.digest[7:]}.tar.gz /" for layer in made.layers]
    assert lines.index(added[1]) < lines.index('ENV A="1"') < lines.index(added[2])
    assert len(instructions(made)) == sum(not line.startswith((" ", "#")) for line in text.splitlines())


def test_same_plan_in_another_order() -> None:
    """Packages stand in the order of their names, each once."""
    one = plan(apt=("bb", "aa"), presets=presets_of(("libpq", "ffmpeg"), ()))
    other = plan(apt=("libpq5", "aa", "bb"), presets=presets_of(("ffmpeg", "libpq"), ()))
    assert dockerfile(one) == dockerfile(other)


def test_nothing_to_install_needs_no_engine() -> None:
    """Only packages, presets and commands ask for an engine."""
    assert not needs_engine(BundleSettings(env={"A": "1"}))
    assert needs_engine(BundleSettings(apt=("a",)))
    assert needs_engine(BundleSettings(run=("a",)))
    assert needs_engine(BundleSettings(presets=("libpq",)))


def test_presets_are_those_of_the_settings() -> None:
    """Every name that the settings know is a preset."""
    assert tuple(sorted(PRESETS)) == NAMES


def test_preset_without_its_distribution() -> None:
    """A preset whose package is not locked is a problem that names it."""
    with pytest.raises(PresetUnusable, match="playwright"):
        presets_of(("ffmpeg", "playwright"), {"numpy"})


HOSTILE = ["x\nRUN id", "x y", "x\\", 'x"', "$x", "", "-o", "x;id", "x\0", "x\r", "é", "x`id`", "a&&b"]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_that_would_say_something_else(text: str) -> None:
    """Packages, bases, folders and names of variables and labels are what they are called, or refused."""
    for change in (
        {"apt": (text,)}, {"apt": (f"aa={text}",)}, {"base": text}, {"base": f"{text}@sha256:{'a' * 64}"},
        {"env": {text: "1"}}, {"project_env": {text: "1"}}, {"labels": {text: "1"}}, {"working_dir": f"/{text}"},
        {"interpreter": f"/{text} "},
    ):  # fmt: skip
        if text == "-o" and "working_dir" in change:
            continue  # a folder may be called so
        with pytest.raises(SystemPlanInvalid):
            plan(**change)


@pytest.mark.parametrize("command", ["a\nb", "a\rb", "", "  ", "a\0"])
def test_commands_of_several_lines(command: str) -> None:
    """A command is one line."""
    with pytest.raises(SystemPlanInvalid):
        plan(run=(command,))


@pytest.mark.parametrize(
    "command",
    ["echo \\", '["true"]', "--mount=type=cache,target=/x true", "cat <<EOF", "# nothing", "echo '\"' $HOME", "echo é"],
)
def test_commands_that_a_dockerfile_would_take_otherwise(command: str) -> None:
    """A command is one line of JSON: no continuation, no flag, no document, no expansion by the builder."""
    text = dockerfile(plan(run=(command, "echo end")))
    (line,) = (line for line in text.splitlines() if line.startswith("RUN [") and "echo end" not in line)
    assert json.loads(line.removeprefix("RUN ")) == ["/bin/sh", "-c", command]


def test_lines_are_short_enough() -> None:
    """No line is longer than builders read, whatever is in it."""
    for text in ("a" * 200_000, '"' * 100_000, "é#" * 100_000, "a b " * 50_000, "\U0001f600" * 50_000):
        assert max(len(line.encode()) for line in quoted(text).split("\n")) < 65_536


def test_values_of_several_lines_need_an_argument() -> None:
    """The end of a line is an argument, and the Dockerfile says so; without such values there is none."""
    assert LINE_END not in dockerfile(plan(env={"A": "1"}))
    assert arguments_of(plan(env={"A": "1"})) == {}
    made = plan(labels={"a": "one\ntwo"})
    assert f"ARG {LINE_END}\n" in dockerfile(made)
    assert f"--build-arg {LINE_END}=$'\\n'" in dockerfile(made)
    assert arguments_of(made) == {LINE_END: "\n"}


TEXTS = st.text(
    st.one_of(
        st.sampled_from(list("\\\"'$#{}`\n\r\t =,&|<>[]")),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=60,
)  # fmt: skip
AWKWARD = [
    "",
    "\\",
    "$HOME",
    "${HOME}",
    "$(id)",
    "\\$HOME",
    "a\\\n#b",
    '"',
    "'",
    " a ",
    "\n",
    "\n#x\n",
    "\r",
    "#",
    "\ufeff",
    "\x0b\x0c\x85\u2028",
]


@settings(
    max_examples=8, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True
)
@given(st.lists(TEXTS, min_size=20, max_size=40))
@example(AWKWARD)
@example([f"{text}{'ab c#' * 4000}{text}{' ' * 9000}{text}" for text in AWKWARD[:3]])
def test_values_mean_themselves_to_an_engine(
    dockerd: DockerdProcess, base_image: DebianBase, values: list[str]
) -> None:
    """Variables and labels have, to the byte, the values that they were given."""
    env = {f"V{number}": value for number, value in enumerate(values)}
    labels = {f"label.{number}": value for number, value in enumerate(values)}
    lines = (
        f"FROM {base_image.image_id}",
        f"ARG {LINE_END}",
        environment_instruction(env).text,
        labels_instruction(labels).text,
    )
    text = "".join(f"{line}\n" for line in lines)
    with dockerd.asked() as client:
        answer = client.post(
            f"{client.base_url}/v{client.api_version}/build",
            params={"buildargs": json.dumps(dict(ARGUMENTS)), "nocache": "1"}, data=context(text, []),
        )  # fmt: skip
        told = [json.loads(line) for line in answer.content.split(b"\n") if line.strip()]
        (image,) = (message["aux"]["ID"] for message in told if "aux" in message)
        config = client.inspect_image(image)["Config"]
        client.remove_image(image)
    assert dict(entry.split("=", 1) for entry in config["Env"] if entry.startswith("V")) == env
    assert config["Labels"] == labels


async def test_commands_mean_themselves_to_an_engine(engine: Engine, base_image: DebianBase) -> None:
    """What a command says reaches the shell as it is written."""
    commands = ["echo 'a\\' > /1", "cat <<'E' > /2 || true", "echo \"$((1+1))\" '$HOME' > /3; echo é # \\"]
    made = plan(base=base_image.image_id, run=tuple(commands))
    image = await engine.build(context(dockerfile(made), made.layers))
    facts = await engine.inspect(image)
    assert facts is not None
    out = []
    await engine.build(
        context(f"FROM {image}\nUSER 0\nRUN cat /1 /3\n", []), hear=lambda message: out.append(message.get("stream"))
    )
    assert "a\\\n2 $HOME\n" in "".join(filter(None, out))
