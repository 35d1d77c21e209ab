"""The tree of errors: each is also the built-in error that a caller would expect."""

import inspect

import pytest

import pellucid
from pellucid import errors

BUILT_IN = {
    "ParameterError": ValueError,
    "ShapeError": ValueError,
    "DataError": ValueError,
    "FileError": OSError,
    "TrainingError": RuntimeError,
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_errors_are_pellucids_and_the_built_in_kind(name):
    error = getattr(errors, name)
    assert issubclass(error, pellucid.PellucidError)
    assert issubclass(error, BUILT_IN[name])
    assert getattr(pellucid, name) is error
    assert str(error("The 'stride' must be at least 1; got 0.")) == "The 'stride' must be at least 1; got 0."


def test_the_list_is_complete_and_drawn_in_the_docstring():
    classes = {name for name, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)}
    assert classes == {"PellucidError", *BUILT_IN}
    for name, built_in in BUILT_IN.items():
        (line,) = [line for line in errors.__doc__.splitlines() if f"── {name} " in line]
        assert f"({built_in.__name__})" in line
