"""Templates of the tests' own."""

from pathlib import Path

import pytest

from trigger_cli.scaffold.templates import Template, find_template


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Return a folder with one template, `shop`, and what using it left behind."""
    shop = tmp_path / "all templates" / "shop"
    files = {
        "template.toml": 'description = "A shop"\nnext_steps = ["trigger dev", ""]\n',
        "pyproject.toml": (
            '[project]\nname = "shop"\nversion = "1"\ndependencies = ["trigger-sdk>=0.1", "httpx>=0.27"]\n\n'
            '[tool.trigger]\ndirs = ["jobs"]\nguard = "warn"\n\n[tool.ruff]\nline-length = 99\n'
        ),
        "README.md": "# Shop\n",
        ".gitignore": ".services/\n",
        "jobs/buy.py": "BUY = 1\r\n",
        "services/__init__.py": "",
        "run.sh": "#!/bin/sh\n",
        "jobs/__pycache__/buy.cpython-311.pyc": "x",
        ".trigger/dev.db": "x",
        ".mypy_cache/CACHEDIR.TAG": "x",
    }
    for name, text in files.items():
        path = shop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    (shop / "run.sh").chmod(0o755)
    (tmp_path / "all templates" / ".hidden").mkdir()
    return tmp_path / "all templates"


@pytest.fixture
def shop(templates: Path) -> Template:
    """Return the template `shop`."""
    return find_template("shop", templates)
