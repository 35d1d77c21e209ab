"""The words of the page: every language says the same things, and whatever the page says, there are words for."""

import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web" / "src"
LANGUAGES = sorted(file.stem for file in (WEB / "words").glob("*.json"))
SAID = re.compile(r"""\bt\(\s*["'`]([\w.]+)["'`]""")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
PUT = re.compile(r"\{(\w+)\}")
PLURALS = ("_zero", "_one", "_two", "_few", "_many", "_other")


def words(language):
    rooms = json.loads((WEB / "words" / f"{language}.json").read_text("utf-8"))
    return {f"{room}.{key}": text for room, texts in rooms.items() for key, text in texts.items()}


def meaning(key):
    """The key that the page says: languages differ in how many plurals they have."""
    return next((key.removesuffix(plural) for plural in PLURALS if key.endswith(plural)), key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_what_the_others_say(language):
    assert {meaning(key) for key in words(language)} == {meaning(key) for key in words("en")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_put_in_the_same_values(language):
    wanted = {}
    for key, text in words("en").items():
        wanted.setdefault(meaning(key), set()).update(PUT.findall(text))
    strange = {key for key, text in words(language).items() if not set(PUT.findall(text)) <= wanted[meaning(key)]}
    assert not strange


def test_there_are_words_for_whatever_is_said():
    there = {meaning(key) for key in words("en")}
    files = [file for file in WEB.rglob("*") if file.suffix in (".svelte", ".ts")]
    said = {key: file.name for file in files for key in SAID.findall(COMMENT.sub("", file.read_text("utf-8")))}
    assert len(said) > 20
    assert not {key: file for key, file in said.items() if meaning(key) not in there}


def test_two_languages_are_there():
    assert LANGUAGES == ["de", "en"]
