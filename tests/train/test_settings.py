"""What a run can be told, and what it refuses."""

import pytest

from pellucid.errors import ParameterError
from pellucid.train.optim import SGD, Adam, AdamW
from pellucid.train.settings import RunSettings


def test_round_trip():
    settings = RunSettings(network="tiny", epochs=3, clip_norm=1.5, augment="shift=1", early_stopping=2)
    assert RunSettings.from_dict(settings.as_dict()) == settings


@pytest.mark.parametrize(("name", "kind"), [("sgd", SGD), ("adam", Adam), ("adamw", AdamW)])
def test_optimisers_by_name(name, kind):
    assert type(RunSettings(optimizer=name).make_optimizer()) is kind


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "resnet"}, "no network named 'resnet'"),
        ({"optimizer": "lbfgs"}, "'optimizer' parameter must be one of sgd, adam, adamw; got 'lbfgs'"),
        ({"schedule": "linear"}, "'schedule' parameter"),
        ({"augment": "twirl=1"}, "twirl"),
        ({"validation": 1.0}, "'validation' parameter must be from 0 up to below 1; got 1.0"),
        ({"validation": 0.0, "early_stopping": 2}, "needs validation images"),
        ({"learning_rate": -1.0}, "'lr' parameter"),
        ({"label_smoothing": 2.0}, "'label_smoothing'"),
        ({"checkpoint_steps": 0}, "'checkpoint_steps' parameter must be above 0; got 0"),
        ({"epochs": 0}, "'epochs'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        RunSettings(**settings)


@pytest.mark.parametrize("record", [None, [], {}, {"network": "tiny"}, {**RunSettings().as_dict(), "more": 1}])
def test_records_of_other_versions_are_refused(record):
    with pytest.raises(ParameterError, match="not those of this version"):
        RunSettings.from_dict(record)


@pytest.mark.parametrize(
    "change", [{"epochs": "3"}, {"data": 5}, {"augment": 5}, {"network": []}, {"validation": "x"}, {"momentum": None}]
)
def test_a_damaged_record_is_refused(change):
    with pytest.raises(ParameterError):
        RunSettings.from_dict({**RunSettings().as_dict(), **change})
