from .data.augmentation import AUGMENTATIONS, Augmentation
from .data.augmentation_names import STRENGTHS
from .data.data import Data
from .data.epochs import training_epochs
from .data.loading import load_data
from .data.pipeline import steps_per_epoch, training_batches
from .distribute.cluster import Cluster, find_cluster
from .distribute.multi_worker import patched_fit
from .distribute.strategies import choose_strategy, is_chief
from .recipe.compiling import compile_model, set_weight_decay
from .recipe.recipe import Recipe
from .recipe.recipes import RECIPES
from .recipe.schedules import LinearWarmUp
from .recipe.settings import Settings
from .reexports import (
    Evaluation,
    Images,
    PeerLost,
    Predictions,
    Preprocessing,
    RunStopped,
    by_class,
    evaluate,
    evaluation_batches,
    predict,
)
from .report.augmented_figure import plot_augmented
from .report.curves import plot_curves
from .report.reliability import plot_reliability
from .report.report import write_report
from .report.roc import plot_roc
from .run.launch import launch, make_repeatable, plan_run
from .run.outcome import Outcome
from .run.plan import Plan, plan
from .run.pretrained import Pretrained, open_pretrained
from .run.request import ResumeRequest, RunRequest
from .run.request_parts import DataRequest, Devices
from .run.run import resume, train
from .run.saved_run import SavedRun, open_run
from .side_by_side.figure import plot_runs
from .side_by_side.runs import Runs, runs
from .transfer.discriminative import DiscriminativeSGD, stage_factors, stage_rates
from .transfer.fine_tuning import Frozen, freeze_until
from .transfer.new_head import new_head

__all__ = [
    "AUGMENTATIONS",
    "RECIPES",
    "STRENGTHS",
    "Augmentation",
    "Cluster",
    "Data",
    "DataRequest",
    "Devices",
    "DiscriminativeSGD",
    "Evaluation",
    "Frozen",
    "Images",
    "LinearWarmUp",
    "Outcome",
    "PeerLost",
    "Plan",
    "Predictions",
    "Preprocessing",
    "Pretrained",
    "Recipe",
    "ResumeRequest",
    "RunRequest",
    "RunStopped",
    "Runs",
    "SavedRun",
    "Settings",
    "by_class",
    "choose_strategy",
    "compile_model",
    "evaluate",
    "evaluation_batches",
    "find_cluster",
    "freeze_until",
    "is_chief",
    "launch",
    "load_data",
    "make_repeatable",
    "new_head",
    "open_pretrained",
    "open_run",
    "patched_fit",
    "plan",
    "plan_run",
    "plot_augmented",
    "plot_curves",
    "plot_reliability",
    "plot_roc",
    "plot_runs",
    "predict",
    "resume",
    "runs",
    "set_weight_decay",
    "stage_factors",
    "stage_rates",
    "steps_per_epoch",
    "train",
    "training_batches",
    "training_epochs",
    "write_report",
]
