"""Names from other packages that `keras_convnets.training` re-exports for its stub."""

from keras_convnets.errors import PeerLost, RunStopped
from keras_convnets.images.batches import evaluation_batches
from keras_convnets.images.labelled import Images
from keras_convnets.images.preprocessing import Preprocessing
from keras_convnets.inference.by_class import by_class
from keras_convnets.inference.evaluate import evaluate
from keras_convnets.inference.evaluation import Evaluation
from keras_convnets.inference.predict import Predictions, predict

__all__ = [
    "Evaluation",
    "Images",
    "PeerLost",
    "Predictions",
    "Preprocessing",
    "RunStopped",
    "by_class",
    "evaluate",
    "evaluation_batches",
    "predict",
]
