"""torchvision's networks on a GPU: autocast, channels last, and cuDNN's choice of kernels."""

from __future__ import annotations

from typing import Any

from benchmarks import torch_side
from benchmarks.gpu_work import Window, Work, repeated

NAMES = {
    "resnet_v1_5_50": "resnet50",
    "vgg_16": "vgg16",
    "googlenet_bn": "googlenet",
    "densenet_121": "densenet121",
}
_CLASSES = 1000


class Side:
    """A network of torchvision."""

    macs = 0  # the same as ours

    def __init__(self, work: Work) -> None:
        torch, torchvision = torch_side.torch_and_torchvision()
        torch.backends.cudnn.benchmark = True
        self.device = f"PyTorch {torch.__version__}"
        self._torch, self._precision, self._size = torch, work.precision, work.size or 224
        model = torch_side.network(torch, torchvision, NAMES[work.network], self._size)
        self._model = model.to(torch_side.device(torch), memory_format=torch.channels_last)

    def training(self, batch: int) -> Window:
        """Return steps of SGD with momentum."""
        images, labels = self._batch(batch)
        model, torch = self._model.train(), self._torch
        optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, fused=True)

        def step() -> Any:
            optimizer.zero_grad()
            with torch_side.autocast(torch, self._precision):
                loss = torch.nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            return loss

        return repeated(step, lambda loss: loss.item())

    def inference(self, batch: int) -> Window:
        """Return forward passes."""
        images, _ = self._batch(batch)
        model, torch = self._model.eval(), self._torch

        def call() -> Any:
            with torch.inference_mode(), torch_side.autocast(torch, self._precision):
                return model(images)

        return repeated(call, lambda outputs: outputs.float().cpu())

    def most_memory(self) -> int | None:
        """Return the most bytes of the GPU used at a time."""
        torch = self._torch
        return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None

    def _batch(self, batch: int) -> tuple[Any, Any]:
        torch, device = self._torch, torch_side.device(self._torch)
        images = torch.rand(batch, 3, self._size, self._size, device=device)
        labels = torch.randint(_CLASSES, (batch,), device=device)
        return images.to(memory_format=torch.channels_last), labels
