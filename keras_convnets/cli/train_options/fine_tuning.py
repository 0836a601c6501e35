"""The options of ``train`` about the weights that it starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def add_to(group: Any) -> None:
    """Add the options."""
    group.add_argument(
        "--weights",
        metavar="FILE",
        help="start from trained weights: a file of PyTorch's, timm's, Keras' or ONNX's, or a name "
        "that keras-convnets weights lists",
    )
    group.add_argument(
        "--fine-tune", type=Path, metavar="RUN", help="start from a run's model, or a .keras file"
    )
    group.add_argument(
        "--preprocessing",
        metavar="NAME|RUN",
        help="how images are prepared, where the model does not tell: none (0 to 255), 0-1, -1-1, "
        "imagenet, caffe, or as in a run",
    )
    group.add_argument(
        "--freeze-until", metavar="STAGE", help="freeze all before it, such as conv4"
    )
    group.add_argument(
        "--stage-decay",
        type=float,
        metavar="X",
        help="what the rate is multiplied by for each stage before the last, such as 0.5",
    )
