import io

from rich.console import Console

from pellucid.bench.run import Benchmark, Failure, Row
from pellucid.bench.why import Explained
from pellucid.views.bench import benchmark_tables, why_table

MACHINE = {
    "processor": "Some CPU",
    "cores": 2,
    "fma_peak_gflops": 200.0,
    "fma_peak_gflops_by_threads": {"1": 100.0, "2": 200.0},
    "bandwidth_gbytes_per_s": 30.0,
}
PEERS = {"pytorch": 9.0, "onnxruntime": 4.0, "openvino": 5.0}


def shown(renderable):
    stream = io.StringIO()
    Console(file=stream, width=80).print(renderable)
    return stream.getvalue()


def test_a_benchmark_fits_a_terminal():
    rows = [
        Row("infer/mobilenet-v2/b1", 2, 2.0, PEERS, gflops=50.0, max_error=0.0, effective=True),
        Row("conv/wgrad/mobilenet_v2/n8c960h7w7k960r3s3pad1group960", 1, 2.0, {"pytorch": 1.0}, 1234.5, 0.0),
        Row("filter/3x3/grey/uint8", 1, 1234.0, {}, gflops=1.0, max_error=0.0),
        Row("infer/pooled28/b1", 2, 0.02, {"pytorch": 0.1}, gflops=50.0, max_error=0.0),
    ]
    peaks = {"pellucid": 150.0, "pytorch": 300.0}
    memory = [{"work": "memory/train/pooled28/b128", "threads": 2, "peak_mb": peaks, "above_import_mb": peaks}]
    failures = [Failure("infer/vgg16/b1", 2, "openvino", "its result is off by 0.5")]
    text = shown(benchmark_tables(Benchmark(MACHINE, rows, failures, memory)))
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("infer, ms") == 1  # works of one kind stand together
    for words in ("Some CPU, 2 cores; at most 100 GFLOP/s on 1 thread", "mobilenet-v2/b1", " 2.00 ", " 0.50 ", "50.0*",
                  "25\N{NO-BREAK SPACE}%", "conv/wgrad/mobilenet_v2, ms", "1,234", "* effective", "150", "300",
                  "openvino, infer/vgg16/b1 on 2 threads: its result is off by 0.5"):  # fmt: skip
        assert words in text


def test_reasons_stand_beside_the_kernel():
    text = shown(why_table([Explained("conv1", "Conv2d()", "gemm", (("winograd4", "kernel 5x5: needs 3x3"),))]))
    reasons = ("winograd4", "stride 2"), ("rows", "wide"), ("winograd2", "stride 2")
    twice = Explained("conv2", "Conv2d()", "gemm", reasons)
    assert "winograd4, winograd2: stride 2" in shown(why_table([twice]))
    for words in ("conv1", "Conv2d()", "gemm", "winograd4: kernel 5x5: needs 3x3"):
        assert words in text
