"""Damaging JSON values: what a file that was cut, edited or attacked may hold."""

import copy
from typing import Any

from hypothesis import strategies as st

junk: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from((-1, 0, 1, 2, 7, 2**31, 2**63, 2**64, 10**30, 10**400, -(10**400))),
    st.floats(),
    st.sampled_from(("", "x", "x\ud800", "float32", "object", "V8", ">f4", "zeros", "Conv2d", "Backward", "__class__")),
    st.sampled_from(([], [[]], {}, [0, 0], [1, 1], [[0, 0], [0, 0]], [-1, 3], [1.5, 2], [True, 1], {"kind": "ReLU"})),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside, the whole included."""
    found = [path]
    if isinstance(value, dict):
        items = list(value.items())
    else:
        items = list(enumerate(value)) if isinstance(value, list) else []
    for key, inside in items:
        found += places(inside, (*path, key))
    return found


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """Replace, remove, repeat or swap one to three of the values inside."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(value)))
        if not path:
            continue
        *way, last = path
        owner = value
        for key in way:
            owner = owner[key]
        other = draw(st.sampled_from(places(value)))
        kind = draw(st.sampled_from(("replace", "replace", "nudge", "remove", "repeat", "copy")))
        if kind == "remove":
            del owner[last]
        elif kind == "repeat" and isinstance(owner, list):
            owner.insert(last, copy.deepcopy(owner[last]))
        elif kind == "nudge" and type(owner[last]) is int:
            owner[last] += draw(st.sampled_from((-1, 1, 1000, 10**7)))
        elif kind == "copy":
            source = value
            for key in other:
                source = source[key]
            owner[last] = copy.deepcopy(source)
        else:
            owner[last] = copy.deepcopy(draw(junk))
    return value
