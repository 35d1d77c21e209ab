"""OpenCV: filters of photos."""

from pellucid.bench.forms import Form
from pellucid.bench.tasks import Filter, Task
from pellucid.types import Array


def forms(task: Task, threads: int) -> list[Form]:
    """``filter2D``, and ``sepFilter2D`` where the kernel is a product of two rows."""
    if not isinstance(task, Filter):
        return []
    import cv2

    cv2.setNumThreads(threads)

    def whole() -> Array:
        result: Array = cv2.filter2D(task.photo, -1, task.kernel, borderType=cv2.BORDER_CONSTANT)
        return result

    def separated() -> Array:
        result: Array = cv2.sepFilter2D(task.photo, -1, task.row, task.row, borderType=cv2.BORDER_CONSTANT)
        return result

    found = [Form("filter2D", whole, lambda: {"y": whole().reshape(task.photo.shape)})]
    if task.gauss:
        found.append(Form("sepFilter2D", separated, lambda: {"y": separated().reshape(task.photo.shape)}))
    return found
