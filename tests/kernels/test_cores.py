"""How many cores may be used: siblings counted once, and a container's quota."""

import os

import pytest

from pellucid.kernels import cores


def topology(folder, siblings):
    """Write what Linux says of each processor: which share its core."""
    for number, text in enumerate(siblings):
        place = folder / f"cpu{number}" / "topology"
        place.mkdir(parents=True)
        (place / "thread_siblings_list").write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize(
    ("siblings", "allowed", "expected"),
    [
        (["0", "1"], {0, 1}, 2),
        (["0-1", "0-1", "2-3", "2-3"], {0, 1, 2, 3}, 2),
        (["0,2", "1,3", "0,2", "1,3"], {0, 1, 2, 3}, 2),
        (["0,2", "1,3", "0,2", "1,3"], {0, 2}, 1),  # the affinity allows one core with both its threads
        (["0,2", "1,3", "0,2", "1,3"], {0, 3}, 2),
        (["0", "1"], {0, 1, 2}, 3),  # of one, nothing is known: count processors
        ([], {0, 1}, 2),
    ],
)
def test_hyperthreads_of_a_core_count_once(tmp_path, siblings, allowed, expected):
    assert cores.physical(allowed, topology(tmp_path, siblings)) == expected


def groups(folder, membership, files):
    (folder / "membership").write_text(membership)
    for name, text in files.items():
        place = folder / "groups" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return cores.quota(folder / "groups", folder / "membership")


V1 = "4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n"


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),  # in a container with a namespace of its own
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"a/cpu.max": "50000 100000\n", "a/b/cpu.max": "max 100000\n", "cpu.max": "9 9\n"}, 0.5),
        ("0::/a/b\n", {"a/b/cpu.max": "400000 100000\n"}, 4),
        ("0::/../../x\n", {"x/cpu.max": "200000 100000\n"}, 2),  # seen from inside another namespace
        (V1, {"cpu/docker/abc/cpu.cfs_quota_us": "250000\n", "cpu/docker/abc/cpu.cfs_period_us": "100000\n"}, 2.5),
        (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "100000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"}, 1),
        (V1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        (V1, {"cpu/cpu.cfs_quota_us": "100000\n"}, None),
        ("0::/\n", {"cpu.max": "nonsense\n"}, None),
        ("0::/\n", {"cpu.max": "1 0\n"}, None),
        ("", {"cpu.max": "1 1\n"}, None),
    ],
)
def test_the_quota_of_a_control_group_and_of_those_above_it(tmp_path, membership, files, expected):
    assert groups(tmp_path, membership, files) == expected


def test_a_system_without_control_groups_has_no_quota(tmp_path):
    assert cores.quota(tmp_path, tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("allowed", "physical", "quota", "expected"),
    [
        (2, 2, None, (2, "2 cores")),
        (1, 1, None, (1, "1 core")),
        (8, 4, None, (4, "4 cores with 8 hyperthreads")),
        (8, 4, 6.0, (4, "4 cores with 8 hyperthreads")),
        (8, 4, 1.5, (2, "a quota of 1.5 of 4 cores")),
        (2, 2, 0.1, (1, "a quota of 0.1 of 2 cores")),
        (4, 4, 4.0, (4, "4 cores")),
    ],
)
def test_usable_cores_and_why_so_many(monkeypatch, allowed, physical, quota, expected):
    monkeypatch.setattr(cores, "affinity", lambda: set(range(allowed)))
    monkeypatch.setattr(cores, "physical", lambda allowed: physical)
    monkeypatch.setattr(cores, "quota", lambda: quota)
    assert cores.usable() == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_the_affinity_is_respected():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores.usable()[0] == 1
    finally:
        os.sched_setaffinity(0, before)
