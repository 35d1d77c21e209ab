from rich.console import Console

from pellucid.explain.kernels.describe import describe
from pellucid.explain.kernels.gallery import GALLERY, NAMES, read_kernel
from pellucid.explain.kernels.ranking import Response
from pellucid.views import kernel_tables


def printed(table: object) -> list[str]:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_gallery_names_all_kernels_and_their_settings() -> None:
    lines = printed(kernel_tables.entries(list(GALLERY.values())))

    assert [name for name in NAMES if not any(line.startswith(f"{name} ") for line in lines)] == []
    assert any("settings: size, angle, sigma, wavelength, phase" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_description_starts_with_the_numbers_where_they_fit() -> None:
    def lines(text: str) -> list[str]:
        values = read_kernel(text)
        return printed(kernel_tables.description(values, describe(values)))

    assert lines("1/16 1/8; -1 0")[:3] == ["  1    2", "−16    0   ÷ 16", ""]
    assert lines("gabor")[0].startswith("kernel")
    assert lines("box-blur:size=9")[4] == "1  1  1  1  1  1  1  1  1   ÷ 81"
    assert lines(";".join(["1"] * 17))[0].startswith("kernel")


def test_a_ranking_draws_bars_and_signs() -> None:
    lines = printed(kernel_tables.ranking([Response("a", 2.0, 0.5, -0.25), Response("b", 1.0, 0.1, 0.0001)]))

    assert lines[2].split() == ["a", "█" * 18, "2.0000", "−0.250", "+0.500"]
    assert lines[3].split() == ["b", "█" * 9, "1.0000", "0", "+0.100"]
    assert "0.0000" in printed(kernel_tables.ranking([Response("a", 0.0, 0.0, 0.0)]))[2]
