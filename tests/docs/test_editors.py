"""The page about editors: what can be read of its snippets is read, and the commands in them are ours."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from analyzer.language_server.options import Options


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    """Return the page."""
    return (repository / "docs/guides/editors.md").read_text()


def snippets(page: str, language: str) -> list[str]:
    """Return the fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_json_is_json(page: str) -> None:
    """Each snippet parses; the extension names the file that follows it, and settings that the server knows."""
    parsed: list[Any] = [json.loads(text) for text in snippets(page, "json")]
    manifest = next(each for each in parsed if "contributes" in each)
    assert manifest["main"] == "./extension.js"
    settings = {key for key in manifest["contributes"]["configuration"]["properties"] if key.endswith(".enable")}
    assert settings == {"trigger.check.enable", "trigger.inlayHints.enable"}
    sublime = next(each for each in parsed if "clients" in each)
    assert sublime["clients"]["trigger"]["command"] == ["trigger", "lsp"]
    options = next(each for each in parsed if "trigger" in each)
    assert Options().updated(options) == Options(check=True, inlay_hints=False)


def test_toml_is_toml(page: str) -> None:
    """Each snippet parses; Helix and Zed start the server by its command."""
    helix, extension, cargo = (tomllib.loads(text) for text in snippets(page, "toml"))
    assert helix["language-server"]["trigger"] == {"command": "trigger", "args": ["lsp"]}
    assert "trigger" in helix["language"][0]["language-servers"]
    assert extension["language_servers"]["trigger"]["languages"] == ["Python"]
    assert cargo["lib"]["crate-type"] == ["cdylib"]


def test_every_snippet_is_in_a_language_that_is_known(page: str) -> None:
    """A fence without a language, or an unbalanced one, would hide a snippet from these tests."""
    fences = re.findall(r"^```(\w*)$", page, re.MULTILINE)
    assert set(fences[::2]) == {"lua", "toml", "json", "javascript", "rust", "elisp"}
    assert set(fences[1::2]) == {""}


@pytest.mark.parametrize("language", ["lua", "javascript", "rust", "elisp"])
def test_brackets_are_balanced(page: str, language: str) -> None:
    """What nothing here can run is at least whole."""
    for text in snippets(page, language):
        for opening, closing in ("()", "[]", "{}"):
            assert text.count(opening) == text.count(closing)
