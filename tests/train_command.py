"""The options of ``keras-convnets train``, each with a value, and the requests they make."""

import dataclasses
import functools

from keras_convnets.cli import train_options
from keras_convnets.cli.options import Parser
from keras_convnets.training.run.request_parts import Devices

# What may be given otherwise than a run was begun with: where it is, and where it goes on.
FREE = {"out", "continues", "dry_run", "resume", "data_dir", "seeds", "time_limit"}
FREE |= {field.name for field in dataclasses.fields(Devices)}
# A value for each option; "{}" stands for a file.
GIVEN = {
    "model": "nin",
    "load": "other.py",
    "data": "mnist",
    "validation_split": "0.25",
    "image_size": "28",
    "channels": "3",
    "recipe": "imagenet",
    "epochs": "7",
    "steps": "77",
    "batch_size": "64",
    "learning_rate": "0.2",
    "drops": "0.5",
    "drop_factor": "0.5",
    "warmup_epochs": "2",
    "warmup_steps": "9",
    "warmup_rate": "0.02",
    "momentum": "0.5",
    "weight_decay": "0.01",
    "label_smoothing": "0.2",
    "images_per_rate": "64",
    "optimizer": "lion",
    "optimizer_arguments": "beta_2=0.9",
    "clipnorm": "1",
    "clipvalue": "0.5",
    "global_clipnorm": "2",
    "accumulation_steps": "2",
    "ema_momentum": "0.99",
    "loss": "binary_crossentropy",
    "final_rate": "0.001",
    "patience": "2",
    "class_weights": "balanced",
    "sampling": "balanced",
    "schedule": "drops",
    "augmentation": "crop",
    "weights": "other.pth",
    "fine_tune": "other.keras",
    "freeze_until": "conv3",
    "preprocessing": "imagenet",
    "stage_decay": "0.5",
    "checkpoint_steps": "40",
    "seed": "4",
    "precision": "mixed_bfloat16",
    "steps_per_execution": "4",
}
# What else a command must hold so that an option has an effect.
WITH = {
    "drops": ["--schedule", "drops"],
    "drop_factor": ["--schedule", "drops", "--drops", "0.5"],
    "warmup_rate": ["--warmup-epochs", "1"],
    "warmup_steps": ["--schedule", "drops", "--warmup-rate", "0.01"],
    "strict": ["--data", "folder:images"],
    "steps_per_execution": ["--checkpoint-steps", "500"],
}


@functools.cache
def parser():
    """Return the parser of the train command."""
    commands = Parser().add_subparsers()
    return train_options.add_to(commands)


def options():
    """Return each option of the train command with the arguments that give it."""
    for action in parser()._actions:
        if action.dest not in FREE | {"help"}:
            name = action.option_strings[-1]  # of --nesterov and --no-nesterov, what quick lacks
            yield action.dest, [name, GIVEN[action.dest]] if action.nargs != 0 else [name]


def requested(*arguments):
    return train_options.request(parser().parse_args([*arguments]))
