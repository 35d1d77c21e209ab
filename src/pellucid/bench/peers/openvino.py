"""OpenVINO: inference of networks, for latency, in float32."""

from typing import Any

from pellucid.bench.forms import Form
from pellucid.bench.tasks import Inference, Task, Training
from pellucid.interop.onnx_out import to_onnx


def forms(task: Task, threads: int) -> list[Form]:
    """One request on a plain NumPy array, neither copied in nor out."""
    if not isinstance(task, Inference) or isinstance(task, Training):
        return []
    import openvino

    core = openvino.Core()
    model = core.read_model(to_onnx(task.graph, task.net.arrays()).SerializeToString(), b"")
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # else bfloat16 where the processor has it
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def run() -> Any:
        return request.infer([task.x], share_inputs=True, share_outputs=True)[0]

    return [Form("", run, lambda: {"y": run().copy()})]
