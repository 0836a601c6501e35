"""Draw the figures of README and docs anew: ``python scripts/docs_figures.py``."""

from pathlib import Path

from keras_convnets import create_model, list_models, plot_model

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def main() -> None:
    """Draw every network at the shape that it is published for."""
    IMAGES.mkdir(exist_ok=True)
    for name in list_models():
        plot_model(create_model(name), IMAGES / f"{name}.svg")
        print(IMAGES / f"{name}.svg")


if __name__ == "__main__":
    main()
