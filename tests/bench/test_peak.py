import numpy as np

from pellucid.bench import peak


def test_the_chains_compute_what_they_say():
    sums = np.zeros(1024, np.float32)
    peak._chains()(sums, 3)
    written = sums[sums != 0]
    assert len(written) % 12 == 0
    assert len(written) >= 48
    assert set(written) == {1.75}  # ((0/2 + 1)/2 + 1)/2 + 1


def test_peaks_have_their_order_of_magnitude():
    assert 0.5 < peak.fma_peak(1) < 5000
    assert 0.5 < peak.bandwidth(1) < 5000
