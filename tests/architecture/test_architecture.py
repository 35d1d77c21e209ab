"""The house itself: floors, a light import, the public surface, files that can be read."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import pellucid
from pellucid.bench import engine

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pellucid"
FLOORS = sorted(folder for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file())

PUBLIC = [
    "DataError",
    "FileError",
    "ParameterError",
    "PellucidError",
    "ShapeError",
    "TrainingError",
    "attribute",
    "conv2d",
    "datasets",
    "describe",
    "dream",
    "filter2d",
    "fit",
    "gallery",
    "load",
    "losses",
    "manual_seed",
    "nn",
    "optim",
    "precision",
    "pretrained",
    "save",
    "selection",
    "set_precision",
    "set_selection",
    "set_threads",
    "shift",
    "summary",
    "trace",
    "value_and_grad",
    "widgets",
    "zoo",
]

HEAVY = {
    "PIL", "fastapi", "jinja2", "llvmlite", "matplotlib", "numba", "onnx", "onnxruntime", "pandas", "rich",
    "safetensors", "scipy", "torch", "typer", "uvicorn",
}  # fmt: skip


def test_floors_import_downwards_only(capsys, monkeypatch):
    monkeypatch.setattr("logging.config.dictConfig", lambda config: None)  # it would silence the loggers of later tests
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def imported_by(code):
    """Return the top-level modules that a fresh interpreter has loaded after running some code."""
    script = f"import sys\n{code}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import pellucid",
        "import numpy, pellucid.nn as nn\nnn.Conv2d(1, 2, 3)(numpy.zeros((1, 1, 5, 5), 'float32'))",
        "import pellucid\npellucid.zoo.build('tiny')",
    ],
    ids=["import", "compute", "build"],
)
def test_importing_and_computing_load_nothing_heavy(code):
    """What is not in the cache of kernels yet is compiled at the first run; then llvmlite's loader is enough."""
    loads = {"llvmlite"} if code.endswith("'float32'))") else set()
    if loads:
        imported_by(code)
    loaded = imported_by(code)
    assert "numpy" in loaded
    assert loaded & HEAVY == loads


def test_the_public_surface():
    assert pellucid.__all__ == PUBLIC
    assert sorted(PUBLIC) == PUBLIC
    assert set(PUBLIC) <= set(dir(pellucid))
    for name in PUBLIC:
        assert getattr(pellucid, name) is not None
    with pytest.raises(AttributeError, match="module 'pellucid' has no attribute 'Tensor'"):
        pellucid.Tensor  # noqa: B018


def test_the_version_is_that_of_the_project():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{pellucid.__version__}"' in text


@pytest.mark.parametrize("folder", FLOORS, ids=lambda folder: folder.name)
def test_every_floor_says_what_lives_there(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {folder.name}")
    assert len(text.splitlines()) <= 16
    for promise in ("ay import", "tart"):
        assert promise in text, f"{folder.name}/README.md does not tell who may import it, or where to start"


def test_the_guide_to_the_engine_names_what_exists():
    text = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)`", text)
    assert len(named) > 15
    for name in named:
        places = [PACKAGE / "kernels" / name, PACKAGE / name, ROOT / name]
        assert any(place.is_file() for place in places), f"docs/engine.md speaks of {name}, which is not there"
    variables = re.findall(r"^\| `(PELLUCID_\w+)`", text, re.MULTILINE)
    assert sorted(variables) == sorted(engine.VARIABLES)


SOURCES = [path for top in ("src", "tests", "tools") for path in sorted((ROOT / top).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_enough_to_be_read(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_functions_fit_on_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{node.name} has {lines} lines"


def test_the_reference_is_plain_numpy():
    for path in (PACKAGE / "reference").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                allowed = name.startswith("pellucid.reference") or name.partition(".")[0] not in ("pellucid", "scipy")
                assert allowed, f"{path.name} imports {name}"
