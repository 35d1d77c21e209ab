"""Contracts of all messages, and the TypeScript types made of them."""

import inspect
import json
import shutil
import subprocess
import sys
import typing
from pathlib import Path

import pytest
from pydantic import ValidationError

from pellucid.studio.answers import questions
from pellucid.studio.messages.base import Message, Tensor
from pellucid.studio.studio import Studio

ROOT = Path(__file__).resolve().parents[2]
MAKER = ROOT / "web" / "message_types.py"
TOOLS = ROOT / "web" / "node_modules"

ROOM = '''
from typing import Literal
from pellucid.studio.messages.base import Message, Nothing, Picture, Tensor

class Border(Message):
    """How a border is made."""
    mode: Literal["zeros", "reflect"] = "zeros"

class Asks(Message):
    picture: Picture
    border: Border = Border()
    box: tuple[int, int] | None = None

class Tells(Message):
    maps: list[Tensor]
    border: Border
    by: dict[str, float] = {}

QUESTIONS = {"room.maps": (Asks, Tells), "room.none": (Nothing, Tells)}
'''

OTHER = """
from pellucid.studio.messages.base import Message

class Kept(Message):
    width: int | None = None

TOLD = (Kept,)
"""

WANTED = """
"room.maps": { asks: Asks; tells: Tells; }; "room.none": { asks: Nothing; tells: Tells; };
export interface Asks { picture: Drawing | Sample | Upload; border?: BorderAsked; box?: [number, number] | null; }
export interface BorderAsked { mode?: "zeros" | "reflect"; }
export interface Tells { maps: Tensor[]; border: Border; by: { [k: string]: number; }; }
export interface Border { mode: "zeros" | "reflect"; }
export interface Tensor { shape: number[]; data: string; }
export interface Kept { width: number | null; }
"""


def test_each_question_is_answered_by_a_function_of_its_messages():
    for name, question in questions().items():
        hints = typing.get_type_hints(question.answer, localns={"Studio": Studio})
        asked, studio = inspect.signature(question.answer).parameters
        assert (hints[asked], studio, hints["return"]) == (question.asks, "studio", question.tells), name


def test_whatever_is_asked_is_limited():
    loose = {name: list(unlimited(question.asks.model_json_schema())) for name, question in questions().items()}
    assert not {name: places for name, places in loose.items() if places}


def test_what_is_not_declared_is_refused():
    for question in questions().values():
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            question.asks.model_validate({"surprise": 1})


def unlimited(schema, place="$"):
    """Yield the places of texts, lists and tables in a JSON schema that may grow without a limit."""
    if isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from unlimited(part, f"{place}[{index}]")
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    limit = {"string": "maxLength", "array": "maxItems"}.get(kind)
    if kind == "object" and schema.get("additionalProperties") and "enum" not in schema.get("propertyNames", {}):
        limit = "maxProperties"
    if limit and limit not in schema and "const" not in schema and "enum" not in schema:
        yield place
    for key, part in schema.items():
        if key != "default":
            yield from unlimited(part, f"{place}.{key}")


def test_the_search_for_limits_finds_what_has_none():
    class Loose(Message):
        words: list[str]
        table: dict[str, int]
        named: dict[typing.Literal["a", "b"], int]
        tensor: Tensor

    places = set(unlimited(Loose.model_json_schema()))
    assert places == {"$.properties.words", "$.properties.words.items", "$.properties.table"}


@pytest.fixture
def tree(tmp_path):
    """A tree with the maker of types, one room, one other file, and the real tools."""
    if not TOOLS.is_dir():
        pytest.skip("the page's tools are not installed (in web/: npm ci)")
    messages = tmp_path / "src/pellucid/studio/messages"
    messages.mkdir(parents=True)
    (tmp_path / "web").mkdir()
    (tmp_path / "web/node_modules").symlink_to(TOOLS, target_is_directory=True)
    shutil.copy(MAKER, tmp_path / "web")
    for name in ("__init__.py", "base.py"):
        shutil.copy(ROOT / "src/pellucid/studio/messages" / name, messages)
    (messages / "room.py").write_text(ROOM)
    (messages / "other.py").write_text(OTHER)
    return tmp_path


def made(tree):
    return subprocess.run([sys.executable, tree / "web/message_types.py"], capture_output=True, text=True, check=False)


def test_types_are_as_the_page_writes_and_reads_messages(tree):
    done = made(tree)
    assert done.returncode == 0, done.stderr
    types = " ".join((tree / "web/src/messages.ts").read_text().split())
    for part in WANTED.strip().splitlines():
        assert part in types
    assert types.count("interface Tensor ") == 1


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("half.py", "class", "half.py cannot be read: SyntaxError"),
        ("hall.py", ROOM, "hall.py must be named 'hall.…'; got room.maps, room.none"),
        (
            "hall.py",
            ROOM.replace('"room.', '"hall.').replace("box", "cell"),
            "must be unique over all rooms; two are named 'Asks'",
        ),
    ],
)
def test_what_has_no_types_is_told(tree, file, text, complaint):
    (tree / "src/pellucid/studio/messages" / file).write_text(text)
    done = made(tree)
    assert done.returncode == 1
    assert complaint in done.stderr


def test_a_file_that_cannot_be_read_keeps_the_types_of_no_other(tree):
    (tree / "src/pellucid/studio/messages/half.py").write_text("class")
    made(tree)
    assert "export interface Kept " in (tree / "web/src/messages.ts").read_text()


def test_types_are_made_without_pellucid_or_its_requirements():
    code = """
import json, sys
sys.path.insert(0, sys.argv[1])
from message_types import messages
questions, _, _ = messages()
print(json.dumps([sorted(questions), [name for name in ("numpy", "numba", "fastapi") if name in sys.modules]]))
"""
    done = subprocess.run([sys.executable, "-c", code, MAKER.parent], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [sorted(questions()), []]
