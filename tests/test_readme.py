"""The README's Python runs as it stands."""

import re
from pathlib import Path

import pytest

from pellucid.cli.main import main

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.long
def test_the_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    names = {}
    for block in blocks:
        exec(block, names)
    printed = capsys.readouterr().out
    assert "430,890" in printed
    assert names["history"][-1]["validation_accuracy"] > 0.8
    assert set(names["grads"]) == set(names["net"].state_dict())


@pytest.mark.parametrize("page", ["README.md", "docs/lens.md"])
def test_the_number_written_out_is_what_the_command_prints(page, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = (README.parent / page).read_text(encoding="utf-8")
    pattern = r"^\$ pellucid (explain [^\n]*)\n```\n\n```\n(.*?)^```"
    command, shown = re.findall(pattern, text, re.DOTALL | re.MULTILINE)[0]
    assert main(command.split()) == 0
    printed = capsys.readouterr().out.splitlines()
    lines = [line for line in shown.splitlines() if line not in ("", "…")]
    assert len(lines) > 5
    for line in lines:
        if "away; rounding" not in line:  # the last digits depend on the processor's vectors
            assert line in printed
