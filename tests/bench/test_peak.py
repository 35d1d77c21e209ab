import numpy as np

from pellucid.bench import peak
from pellucid.kernels import chains, host, team


def test_the_chains_compute_what_they_say():
    sums, steps = np.zeros(1024, np.float32), np.array([3])
    team.native(chains.fma_chains(), 0, team.address(sums), team.address(steps))()
    written = sums[sums != 0]
    assert len(written) == chains.CHAINS * host.host().width
    assert set(written) == {1.75}  # ((0/2 + 1)/2 + 1)/2 + 1


def test_peaks_have_their_order_of_magnitude():
    assert 0.5 < peak.fma_peak(1) < 5000
    assert 0.5 < peak.bandwidth(1) < 5000
