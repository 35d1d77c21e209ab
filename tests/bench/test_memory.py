import pytest

from pellucid.bench import memory
from pellucid.errors import TrainingError


def test_each_has_a_process_of_its_own():
    pytest.importorskip("torch")
    record = memory.compare("memory/train/tiny/b2", 1, pytorch=True)
    assert record["work"] == "memory/train/tiny/b2"
    for who in ("pellucid", "pytorch"):
        assert 0 < record["above_import_mb"][who] < record["peak_mb"][who] < 4000


def test_a_larger_batch_takes_more_memory():
    small, large = (memory.compare(f"memory/train/tiny/b{batch}", 1, pytorch=False) for batch in (1, 1024))
    assert large["peak_mb"]["pellucid"] > small["peak_mb"]["pellucid"] + 20


def test_a_process_that_fails_is_an_error():
    with pytest.raises(TrainingError, match="There is no network named 'nonsense'"):
        memory.compare("memory/train/nonsense/b2", 1, pytorch=False)
