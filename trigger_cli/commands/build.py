"""`trigger build`: the project and its locked dependencies as a container image."""

from __future__ import annotations

from typing import Annotated

import typer

from trigger_cli.app import single
from trigger_cli.building.options import BuildOptions

app = single("build")

Output = Annotated[
    str,
    typer.Option("--output", "-o", metavar="WHERE", help="registry (push it), oci:DIR, docker, or tar:FILE."),
]
Platforms = Annotated[
    list[str] | None,
    typer.Option(
        "--platform", metavar="PLATFORM", help="linux/amd64 or linux/arm64; several for an image that is for each."
    ),
]
Repository = Annotated[
    str | None, typer.Option("--repository", metavar="HOST/NAME", help="Where the image is pushed to.")
]
Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", metavar="TAG", help="A name for it; may be repeated.")]
Base = Annotated[
    str | None,
    typer.Option("--base", metavar="IMAGE", help="Image to build upon: a reference, oci:DIR, tar:FILE or docker:NAME."),
]
Python = Annotated[
    str | None, typer.Option("--python", metavar="PATH", help="The project's interpreter; the image has its version.")
]
PlainHttp = Annotated[
    list[str] | None,
    typer.Option("--plain-http", metavar="HOST", help="A registry that may be spoken to without TLS."),
]
ListFiles = Annotated[bool, typer.Option("--list-files", help="Show what would go in, with sizes, and build nothing.")]
Explain = Annotated[bool, typer.Option("--explain", help="Say of each layer why it was made anew.")]
Dockerfile = Annotated[bool, typer.Option("--dockerfile", help="Show the image as a Dockerfile, and build nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say which credentials were used for which host, and what took long.")
]


@app.command("build")
def build(  # noqa: PLR0913 - one for each option
    *,
    output: Output = "registry",
    platform: Platforms = None,
    repository: Repository = None,
    tag: Tags = None,
    base: Base = None,
    python: Python = None,
    plain_http: PlainHttp = None,
    list_files: ListFiles = False,
    explain: Explain = False,
    dockerfile: Dockerfile = False,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Pack the project and its locked dependencies into a container image, and push it.

    No Docker engine is needed, unless [tool.trigger.bundle] asks for system packages or commands. The same project
    gives the same image, byte for byte. Its reference with the digest is all that is written to standard output.
    """
    from trigger_cli.building.run import run_build

    given: dict[str, object] = {"repository": repository, "base": base}
    given |= {"platforms": _split(platform), "tags": _split(tag)}
    return run_build(
        BuildOptions(
            output=output,
            settings={key: value for key, value in given.items() if value},
            python=python,
            plain_http=frozenset(plain_http or ()),
            list_files=list_files,
            explain=explain,
            dockerfile=dockerfile,
            json=json,
            verbose=verbose,
        )
    )


def _split(texts: list[str] | None) -> list[str]:
    return [part.strip() for text in texts or () for part in text.split(",") if part.strip()]
