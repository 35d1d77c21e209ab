"""ONNX Runtime: inference of networks, with all its optimisations."""

from typing import Any

from pellucid.bench.forms import Form
from pellucid.bench.tasks import Inference, Task, Training
from pellucid.interop.onnx_out import to_onnx


def forms(task: Task, threads: int) -> list[Form]:
    """One session on a plain NumPy array."""
    if not isinstance(task, Inference) or isinstance(task, Training):
        return []
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    model = to_onnx(task.graph, task.net.arrays()).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feeds = dict.fromkeys(task.graph.inputs, task.x)

    def run() -> Any:
        return session.run(None, feeds)[0]

    return [Form("", run, lambda: {"y": run()})]
