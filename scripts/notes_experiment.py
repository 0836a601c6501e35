"""The experiment of the course notes: ResNet-18 on Fashion-MNIST, here and in PyTorch.

    python scripts/notes_experiment.py --size 28              # both sides, seed 0
    python scripts/notes_experiment.py --size 96 --seeds 0,1,2 --side torch

Both sides have the same network, layer by layer, the same distributions of initial weights, the
same images, and the recipe ``notes``: Adam, learning rate 0.001, batches of 256, 5 epochs, cross-
entropy. They draw other random numbers, so they differ as two seeds do. PyTorch's side is the whole
network and training in plain PyTorch, to read beside the builder's. It prints a line for each
epoch, and a table of all runs in the end.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NETWORK, DATA, RECIPE = "notes_resnet_18", "fashion_mnist", "notes"


@dataclasses.dataclass(frozen=True)
class Run:
    """The accuracy on the test images after the last epoch, and the seconds of each epoch."""

    side: str
    seed: int
    accuracy: float
    seconds: list[float]


def main() -> None:
    """Train on the sides, and print their accuracies."""
    chosen = _parser().parse_args()
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    sides = {"keras": ours, "torch": theirs}
    wanted = list(sides) if chosen.side == "both" else [chosen.side]
    runs = [sides[side](seed, chosen) for seed in seeds for side in wanted]
    print("\nside    seed   test accuracy   seconds an epoch (first, median of the others)")
    for run in runs:
        others = statistics.median(run.seconds[1:] or run.seconds)
        print(f"{run.side:8}{run.seed:4}{run.accuracy:16.2%}{run.seconds[0]:19.1f}{others:9.1f}")
    for side in wanted:
        found = [run.accuracy for run in runs if run.side == side]
        if len(found) > 1:
            mean, deviation = statistics.mean(found), statistics.stdev(found)
            print(f"{side}: {mean:.2%} ± {deviation:.2%} ({len(found)} seeds)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", choices=("both", "keras", "torch"), default="both")
    parser.add_argument("--size", type=int, default=28, help="rows and columns of the images")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, help="in place of epochs, to try it out")
    parser.add_argument("--seeds", default="0", help="such as 0,1,2")
    parser.add_argument("--data-dir", type=Path, help="a folder with the four files")
    parser.add_argument("--out", type=Path, help="keep our runs in this folder")
    return parser


def ours(seed: int, chosen: argparse.Namespace) -> Run:
    """Train with ``keras_convnets``, as ``keras-convnets train`` does."""
    from keras_convnets import create_model
    from keras_convnets.training import RECIPES, DataRequest, RunRequest, Settings, launch

    length = {"steps": chosen.steps} if chosen.steps else {"epochs": chosen.epochs}
    request = RunRequest(
        NETWORK,
        data=DataRequest(DATA, data_dir=chosen.data_dir, image_size=chosen.size),
        recipe=RECIPES[RECIPE].replace(**length),
        settings=Settings(seed=seed),
    )
    with tempfile.TemporaryDirectory() as folder:
        out = (chosen.out or Path(folder)) / f"seed-{seed}"
        outcome = launch(dataclasses.replace(request, out=out), create_model)
        history = (out / "history.csv").read_text().splitlines()
    column = history[0].split(",").index("seconds")
    seconds = [float(row.split(",")[column]) for row in history[1:]]
    return Run("keras", seed, outcome.test_accuracy, seconds)


def theirs(seed: int, chosen: argparse.Namespace) -> Run:
    """Train in plain PyTorch."""
    import torch

    from keras_convnets.training import RECIPES

    torch.manual_seed(seed)
    if threads := os.environ.get("TF_NUM_INTRAOP_THREADS"):
        torch.set_num_threads(int(threads))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, test, prepared = images(torch, chosen, device)
    network = resnet_18(torch).to(device)
    recipe = RECIPES[RECIPE]
    optimizer = torch.optim.Adam(network.parameters(), recipe.learning_rate, eps=1e-7)
    an_epoch = len(train[0]) // recipe.batch_size
    left, seconds, accuracy = chosen.steps or chosen.epochs * an_epoch, [], 0.0
    while left > 0:
        started, steps = time.monotonic(), min(left, an_epoch)
        network.train()
        order = torch.randperm(len(train[0]), device=device)
        for batch in order.split(recipe.batch_size)[:steps]:
            optimizer.zero_grad()
            logits = network(prepared(train[0][batch]))
            loss = torch.nn.functional.cross_entropy(logits, train[1][batch])
            loss.backward()
            optimizer.step()
        last, left = loss.item(), left - steps  # item() waits for the GPU
        seconds.append(time.monotonic() - started)
        accuracy = tested(torch, network, test, prepared)
        line = f"loss of the last batch {last:.4f}, test accuracy {accuracy:.2%}"
        print(f"torch, seed {seed}, epoch {len(seconds)}: {line}, {seconds[-1]:.1f} s", flush=True)
    return Run("torch", seed, accuracy, seconds)


def tested(torch: Any, network: Any, test: Any, prepared: Any) -> float:
    """Return the accuracy on the test images."""
    network.eval()
    right = 0
    with torch.inference_mode():
        for pixels, labels in zip(*(part.split(500) for part in test), strict=True):
            right += (network(prepared(pixels)).argmax(1) == labels).sum().item()
    return right / len(test[0])


def images(torch: Any, chosen: argparse.Namespace, device: Any) -> tuple[Any, Any, Any]:
    """Return the training and test images with their labels, and how images are prepared."""
    from keras_convnets.training import load_data

    data = load_data(DATA, data_dir=chosen.data_dir)
    (mean,), (std,) = data.preprocessing.mean, data.preprocessing.std

    def prepared(pixels: Any) -> Any:
        values = (pixels / 255 - mean) / std
        size = (chosen.size, chosen.size)
        if values.shape[-2:] == size:
            return values
        return torch.nn.functional.interpolate(values, size, mode="bilinear", align_corners=False)

    def on_device(part: Any) -> tuple[Any, Any]:
        pixels = torch.tensor(part.array).permute(0, 3, 1, 2).contiguous()
        return pixels.to(device), torch.tensor(part.labels).long().to(device)

    return on_device(data.train), on_device(data.test), prepared


def resnet_18(torch: Any) -> Any:
    """Return the notes' ResNet-18, with initial weights from the package's distributions."""
    from torch import nn

    class Residual(nn.Module):
        """Two convolutions with batch normalisation, and the input added to their output."""

        def __init__(self, before: int, channels: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(before, channels, 3, stride, padding=1)
            self.bn1 = nn.BatchNorm2d(channels)
            self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
            self.bn2 = nn.BatchNorm2d(channels)
            is_same = stride == 1 and before == channels
            self.shortcut = nn.Identity() if is_same else nn.Conv2d(before, channels, 1, stride)

        def forward(self, x: Any) -> Any:
            y = torch.relu(self.bn1(self.conv1(x)))
            return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))

    def stage(before: int, channels: int, stride: int) -> Any:
        return nn.Sequential(Residual(before, channels, stride), Residual(channels, channels, 1))

    stem = [nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    stages = [stage(64, 64, 1), stage(64, 128, 2), stage(128, 256, 2), stage(256, 512, 2)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)]
    network = nn.Sequential(*stem, *stages, *head)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # He et al. 2015
            nn.init.zeros_(layer.bias)
    wide = (2 / 512) ** 0.5 / 0.87962566  # Keras' he_normal is cut at two standard deviations
    nn.init.trunc_normal_(network[-1].weight, std=wide, a=-2 * wide, b=2 * wide)
    nn.init.zeros_(network[-1].bias)
    return network


if __name__ == "__main__":
    main()
