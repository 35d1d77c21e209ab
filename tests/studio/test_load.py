"""Two hundred people who draw at once: nobody waits long, and no stroke is lost."""

import asyncio
from pathlib import Path

import pytest

from tests.studio.load import crowd
from tests.studio.served import served


def test_a_few_people_get_all_their_maps(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        seen = asyncio.run(crowd(server, drawers=5, rate=10, seconds=1))

    assert (seen.asked, seen.lost, seen.errors) == (50, 0, [])


@pytest.mark.long
def test_two_hundred_people_draw(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        seen = asyncio.run(crowd(server, drawers=200, rate=10, seconds=30))
    print(seen)

    assert (seen.asked, seen.lost, seen.errors) == (60_000, 0, [])
    assert seen.within(0.95) < 100, str(seen)
