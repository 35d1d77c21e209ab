"""Compiled kernels on disk: found again, and never in the way."""

import errno
import io
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.kernels import cache, host, library, team
from pellucid.kernels.compiler import Kernel, kernel
from pellucid.kernels.interpret import Floats

KERNEL = team.alone
posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are those of Unix")


@pytest.fixture(scope="module")
def code():
    return KERNEL.compile()


@pytest.fixture
def base(tmp_path, monkeypatch):
    """An empty place for the cache, and a process that has loaded nothing yet."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(library, "_addresses", {})
    cache.folder.cache_clear()
    yield tmp_path / "cache"
    cache.folder.cache_clear()


@pytest.fixture
def compiled(monkeypatch, code):
    """Names of the kernels that are compiled, from the code at hand."""
    names = []
    monkeypatch.setattr(Kernel, "compile", lambda self: names.append(self.name) or code)
    return names


def file():
    return cache.folder() / KERNEL.name


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_written_is_read(base, code):
    assert cache.read(KERNEL) is None
    cache.write(KERNEL, code)
    assert cache.read(KERNEL) == code
    assert cache.kept() == (1, file().stat().st_size)


@posix
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_nobody_else_may_write_whatever_the_usual_mode(base, code, umask):
    before = os.umask(umask)
    try:
        cache.write(KERNEL, code)
    finally:
        os.umask(before)
    assert (mode(cache.folder()), mode(file())) == (0o700, 0o600)
    assert cache.read(KERNEL) == code


SCRIPT = """
import sys
from pellucid.kernels import cache, library, team
library.prepare([team.alone, team.lead])
print("numba" in sys.modules, cache.folder(), *sorted(path.name for path in cache.folder().iterdir()))
"""


def fresh(base, **variables):
    environment = {**os.environ, cache.VARIABLE: str(base), **variables}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def outcome(process):
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    used_numba, *rest = out.split()
    return used_numba == "True", *rest


def test_a_second_process_compiles_nothing_and_does_not_load_the_compiler(base):
    first = outcome(fresh(base))
    contents = {path.name: path.read_bytes() for path in Path(first[1]).iterdir()}
    assert first == (True, first[1], "team_alone", "team_lead")
    assert outcome(fresh(base)) == (False, *first[1:])
    assert {path.name: path.read_bytes() for path in Path(first[1]).iterdir()} == contents


def test_processes_that_compile_at_once(base, code):
    outcomes = [outcome(process) for process in [fresh(base) for _ in range(4)]]
    assert len({found[1] for found in outcomes}) == 1
    assert {path.name for path in Path(outcomes[0][1]).iterdir()} == {"team_alone", "team_lead"}
    assert cache.read(KERNEL) is not None


@pytest.mark.parametrize("variables", [{host.VARIABLE: "sse"}, {"NUMBA_OPT": "2"}], ids=str)
def test_other_vectors_and_other_settings_have_another_folder(base, variables):
    if host.host().name in (*variables.values(), "neon"):
        pytest.skip("this machine has no others")
    cache_folder = cache.folder().name
    used_numba, found, *_ = outcome(fresh(base, **variables))
    assert used_numba
    assert Path(found).name != cache_folder


def test_another_source_compiler_or_processor_has_another_folder(monkeypatch, tmp_path):
    usual = cache._fingerprint.__wrapped__
    found = [usual(), usual()]
    copied = shutil.copytree(Path(cache.__file__).parent, tmp_path / "kernels", ignore=lambda *_: ["__pycache__"])
    with monkeypatch.context() as patch:
        patch.setattr(cache, "__file__", str(copied / "cache.py"))
        found.append(usual())
        with (copied / "tiles.py").open("a") as source:
            source.write("# edited\n")
        found.append(usual())
    with monkeypatch.context() as patch:
        patch.setattr(cache, "version", lambda package: "9.9")
        found.append(usual())
    with monkeypatch.context() as patch:
        patch.setattr(host.Host, "target", ("another", "processor"))
        found.append(usual())
    assert found[0] == found[1] == found[2]
    assert len(set(found)) == 4


def flip(path, place):
    contents = bytearray(path.read_bytes())
    contents[place] ^= 1
    path.write_bytes(contents)


def linked(path):
    moved = path.rename(path.with_name(f"{path.name}-moved"))
    path.symlink_to(moved)


DAMAGES = {
    "empty": lambda: file().write_bytes(b""),
    "truncated": lambda: os.truncate(file(), file().stat().st_size - 1),
    "half": lambda: os.truncate(file(), 40),
    "a bit of the code": lambda: flip(file(), -100),
    "a bit of the checksum": lambda: flip(file(), 5),
    "no line": lambda: file().write_bytes(b"\xff" * 1000),
    "a folder": lambda: (file().unlink(), file().mkdir()),
    "missing": lambda: file().unlink(),
    "file may be written by the group": lambda: file().chmod(0o620),
    "file may be written by all": lambda: file().chmod(0o602),
    "folder may be written by the group": lambda: cache.folder().chmod(0o770),
    "folder may be written by all": lambda: cache.folder().chmod(0o707),
    "file is a link": lambda: linked(file()),
    "folder is a link": lambda: linked(cache.folder()),
    "folder is a file": lambda: (shutil.rmtree(cache.folder()), cache.folder().write_bytes(b"")),
    "place is a file": lambda: (shutil.rmtree(cache.folder().parent), cache.folder().parent.write_bytes(b"")),
    "file is another's": lambda: os.chown(file(), 12345, -1),
    "folder is another's": lambda: os.chown(cache.folder(), 12345, -1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_trusted_is_compiled_anew(base, code, compiled, damage):
    if os.name != "posix" and any(word in damage for word in ("link", "written", "another")):
        pytest.skip("owners, modes and links are those of Unix")
    if "another's" in damage and os.geteuid() != 0:
        pytest.skip("only the superuser may give files away")
    cache.write(KERNEL, code)
    DAMAGES[damage]()
    assert cache.read(KERNEL) is None
    assert library.entry(KERNEL) != 0
    assert compiled == [KERNEL.name]


@pytest.mark.parametrize("damage", ["empty", "half", "a bit of the code", "missing", "file is a link"])
def test_what_is_broken_is_replaced(base, code, compiled, damage):
    cache.write(KERNEL, code)
    DAMAGES[damage]()
    library.entry(KERNEL)
    assert cache.read(KERNEL) == code


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["mkdir", "mkstemp", "replace", "write"])
def test_a_place_that_cannot_be_written_is_done_without(base, code, compiled, monkeypatch, call, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    class Full(io.BytesIO):
        write = refuse

    owner, name = {
        "mkdir": (Path, "mkdir"),
        "mkstemp": (cache.tempfile, "mkstemp"),
        "replace": (cache.os, "replace"),
        "write": (cache, "open"),
    }[call]
    monkeypatch.setattr(owner, name, (lambda *_: Full()) if call == "write" else refuse, raising=False)
    assert library.entry(KERNEL) != 0
    assert compiled == [KERNEL.name]
    assert cache.kept() == (0, 0)
    assert not base.exists() or not [path for path in base.rglob("*") if path.is_file()]


def test_a_folder_that_serves_has_no_obstacle(base):
    assert cache.obstacle() is None
    assert (mode(cache.folder()), os.listdir(cache.folder())) == (0o700, [])


OBSTACLES = {
    "place is a file": r"file exists|not a directory",
    "folder is a link": "it is a link, or another user may write there",
    "folder may be written by the group": "it is a link, or another user may write there",
}


@posix
@pytest.mark.parametrize("damage", OBSTACLES)
def test_an_obstacle_is_told(base, code, damage):
    cache.write(KERNEL, code)
    DAMAGES[damage]()
    assert re.fullmatch(OBSTACLES[damage], cache.obstacle())


def test_a_user_without_a_home_is_told(base, monkeypatch):
    monkeypatch.setattr(cache, "_base", lambda: None)
    assert cache.obstacle() == "this user has no home folder"
    assert cache.clear() == (0, 0)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_a_place_that_cannot_be_written_is_told(base, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(cache.tempfile, "TemporaryFile", refuse)
    assert cache.obstacle() == os.strerror(number).lower()


def test_all_kernels_are_removed_and_nothing_else(base, code, tmp_path):
    cache.write(KERNEL, code)
    size = file().stat().st_size
    (base / "kernels-sse-old").mkdir()
    (base / "kernels-sse-old" / "relu").write_bytes(b"code")
    (base / "notes").mkdir()
    (tmp_path / "precious").mkdir()
    (base / "kernels-link").symlink_to(tmp_path / "precious")
    assert cache.clear() == (2, size + 4)
    assert {path.name for path in base.iterdir()} == {"notes", "kernels-link"}
    assert (tmp_path / "precious").is_dir()
    assert cache.clear() == (0, 0)
    cache.write(KERNEL, code)
    assert cache.read(KERNEL) == code


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only the superuser may give files away")
def test_another_users_kernels_are_left(base, code):
    cache.write(KERNEL, code)
    os.chown(cache.folder(), 12345, -1)
    assert cache.clear() == (0, 0)
    assert file().exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_the_right_to_write(base, code, compiled):
    base.mkdir(mode=0o500)
    assert library.entry(KERNEL) != 0
    assert compiled == [KERNEL.name]


def test_folders_that_were_changed_longest_ago_are_removed(base, code, tmp_path):
    base.mkdir()
    for age in range(12):
        folder = base / f"kernels-old-{age}"
        folder.mkdir()
        (folder / "relu").write_bytes(b"code")
        os.utime(folder, (1e9 - age, 1e9 - age))
    for other in ("notes", "data-1"):
        (base / other).mkdir()
    (tmp_path / "precious").mkdir()
    (base / "kernels-link").symlink_to(tmp_path / "precious")
    cache.write(KERNEL, code)
    assert cache.read(KERNEL) == code
    left = {path.name for path in base.iterdir()}
    newest = {f"kernels-old-{age}" for age in range(7)}
    assert left == {cache.folder().name, *newest, "notes", "data-1", "kernels-link"}
    assert (tmp_path / "precious").is_dir()


def test_a_kernel_that_is_written_elsewhere_is_not_kept(base):
    """The folder's name does not tell its source."""

    @kernel("test_cache_elsewhere")
    def body(part: int, scratch: Floats, x: Floats) -> None:
        x[part] = 1.0

    cache.write(body, b"code")
    assert cache.read(body) is None
    assert not base.exists()


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"HOME": "/home/ada"}, "/home/ada/.cache/pellucid"),
        ("linux", {"HOME": "/home/ada", "XDG_CACHE_HOME": "/var/tmp/c"}, "/var/tmp/c/pellucid"),
        ("linux", {"HOME": "/home/ada", "XDG_CACHE_HOME": "relative"}, "/home/ada/.cache/pellucid"),
        ("linux", {"HOME": "~"}, None),  # what a user without a home has
        ("darwin", {"HOME": "/Users/ada"}, "/Users/ada/Library/Caches/pellucid"),
        ("win32", {"HOME": "/c", "LOCALAPPDATA": "/c/Local"}, "/c/Local/pellucid"),
        ("win32", {"HOME": "/c"}, "/c/AppData/Local/pellucid"),
        ("linux", {"HOME": "/home/ada", cache.VARIABLE: "/mine"}, "/mine"),
    ],
)
@posix
def test_the_systems_place_for_a_users_cache(monkeypatch, platform, variables, expected):
    monkeypatch.setattr(cache.sys, "platform", platform)
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", cache.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = cache._base()
    assert found == (expected and Path(expected))
    assert expected or cache.folder.__wrapped__() is None


def test_a_user_without_a_place_does_without(base, code, compiled, monkeypatch):
    monkeypatch.setattr(cache, "_base", lambda: None)
    assert library.entry(KERNEL) != 0
    assert compiled == [KERNEL.name]
    assert cache.kept() == (0, 0)


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


def test_a_terminal_sees_one_line_of_progress(base, compiled, monkeypatch):
    terminal = Stream(True)
    monkeypatch.setattr(sys, "stderr", terminal)
    library.prepare([team.alone])
    shown, written, _ = terminal.getvalue().split("\r")[1:]
    assert shown == "Preparing the engine for this machine, once: 1 of 1 kernels"
    assert not written.strip()
    assert len(written) >= len(shown)
    library.prepare([team.alone])
    assert terminal.getvalue().count("Preparing") == 1


def test_a_pipe_sees_nothing(base, compiled, monkeypatch):
    pipe = Stream(False)
    monkeypatch.setattr(sys, "stderr", pipe)
    library.prepare([team.alone])
    assert pipe.getvalue() == ""


def test_a_closed_or_missing_stream_does_no_harm(base, compiled, monkeypatch):
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        library._addresses.clear()
        shutil.rmtree(base, ignore_errors=True)
        assert library.entry(KERNEL) != 0


def test_what_does_not_compile_is_an_error_each_time(base, monkeypatch):
    def fail(self):
        raise ValueError("no")

    monkeypatch.setattr(Kernel, "compile", fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            library.entry(KERNEL)
