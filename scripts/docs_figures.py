"""Make the figures of README and docs anew: ``python scripts/docs_figures.py``, two minutes."""

import shutil
import tempfile
from pathlib import Path

from keras_convnets import cli

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def main() -> None:
    """Draw ResNet-34, and train as ``keras-convnets train`` does for its learning curves."""
    cli.main(["plot", "resnet_34", str(IMAGES / "resnet_34.svg")])
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        cli.main(["train", "--out", str(run)])
        shutil.copy(run / "curves.png", IMAGES)


if __name__ == "__main__":
    main()
