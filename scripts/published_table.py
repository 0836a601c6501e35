"""Write the table of published weights: ``python scripts/published_table.py``.

The facts come from torchvision's metadata of its weights, timm's configurations and the source of
keras.applications, so torchvision and timm are needed: see ``tests/torchvision_models.py``. Other
facts, such as licences, are below. Networks that are not registered have no rows.
"""

import csv
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from keras_convnets import list_models
from keras_convnets.keras_private import without_values
from keras_convnets.weights.published.published import FILE, Published

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from torchvision_models import load

_, torchvision = load()

import timm  # noqa: E402

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "scale": 255}
MINUS_1_TO_1 = {"mean": (1, 1, 1), "std": (1, 1, 1), "scale": 127.5}
HALVES = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "scale": 255}
CAFFE_MEAN = {"mean": (123.68, 116.779, 103.939), "std": (1, 1, 1), "scale": 1}

TORCHVISION = {
    **{f"resnet{depth}": f"resnet_v1_{depth}" for depth in (18, 34)},
    **{f"resnet{depth}": f"resnet_v1_5_{depth}" for depth in (50, 101, 152)},
    "resnext50_32x4d": "resnext_50_32x4d",
    "resnext101_32x8d": "resnext_101_32x8d",
    "resnext101_64x4d": "resnext_101_64x4d",
    "wide_resnet50_2": "wide_resnet_50_2",
    "wide_resnet101_2": "wide_resnet_101_2",
    **{f"densenet{depth}": f"densenet_{depth}" for depth in (121, 161, 169, 201)},
    **{f"vgg{depth}": f"vgg_{depth}" for depth in (11, 13, 16, 19)},
    **{f"vgg{depth}_bn": f"vgg_{depth}_bn" for depth in (11, 13, 16, 19)},
    "alexnet": "alexnet",
    "googlenet": "googlenet_bn",
    "inception_v3": "inception_v3",
}
NOT_OF_TIMM = ("alexnet", "googlenet")
# A network that equals timm's comes before one that takes some of its files only.
TIMM = {
    **{name: (ours,) for name, ours in TORCHVISION.items() if name not in NOT_OF_TIMM},
    "resnext101_32x4d": ("resnext_101_32x4d",),
    **{f"resnetv2_{n}": (f"resnet_v2_{n}_timm", f"resnet_v2_{n}") for n in (50, 101, 152)},
    **{f"seresnet{depth}": (f"se_resnet_v1_5_{depth}",) for depth in (50, 101, 152)},
    "seresnext50_32x4d": ("se_resnext_50_32x4d",),
    "seresnext101_32x4d": ("se_resnext_101_32x4d",),
    **{f"legacy_seresnet{depth}": (f"se_resnet_{depth}",) for depth in (50, 101, 152)},
    "inception_v4": ("inception_v4",),
    "inception_resnet_v2": ("inception_resnet_v2",),
}
# Accuracies that are not among the metadata.
TIMM_TOP1 = {
    "resnet50.a1_in1k": 80.38,
    "resnet152.a1h_in1k": 82.8,
    "resnetv2_50.a1h_in1k": 80.4,
    "resnetv2_101.a1h_in1k": 82.0,
    "wide_resnet50_2.racm_in1k": 81.5,
    "inception_v4.tf_in1k": 80.1,
    "inception_resnet_v2.tf_in1k": 80.4,
}
# Name in keras.applications, images, licence as Keras' documentation gives it.
KERAS = {
    "vgg_16": ("VGG16", CAFFE_MEAN, "cc-by-4.0"),
    "vgg_19": ("VGG19", CAFFE_MEAN, "cc-by-4.0"),
    **{f"resnet_v1_{n}_keras": (f"ResNet{n}", CAFFE_MEAN, "mit") for n in (50, 101, 152)},
    **{f"resnet_v2_{n}_keras": (f"ResNet{n}V2", MINUS_1_TO_1, "bsd") for n in (50, 101, 152)},
    **{f"densenet_{n}_keras": (f"DenseNet{n}", IMAGENET, "bsd-3-clause") for n in (121, 169, 201)},
    "inception_v3_keras": ("InceptionV3", MINUS_1_TO_1, "apache-2.0"),
    "inception_resnet_v2": ("InceptionResNetV2", MINUS_1_TO_1, "apache-2.0"),
}
ONNX = "https://github.com/onnx/models/raw/main/validated/vision/classification"
# Address, rows, accuracy as the zoo's page gives it.
CAFFE = {
    "alexnet_caffe": ("alexnet/model/bvlcalexnet-12.onnx", 227, 54.80),
    "googlenet": ("inception_and_googlenet/googlenet/model/googlenet-12.onnx", 224, 67.78),
}


def main() -> None:
    """Write the table, sources in the order of the functions below."""
    registered = set(list_models())
    rows = [*of_torchvision(), *of_timm(), *of_keras(), *of_caffe()]
    kept = [row for row in rows if row.network in registered]
    with FILE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Published._fields)
        writer.writerows([text(value) for value in row] for row in kept)
    print(f"{len(kept)} rows, written to {FILE}")
    print("not registered:", *sorted({row.network for row in rows} - registered))


def text(value: Any) -> str:
    """Return a value as the table has it."""
    if isinstance(value, tuple):
        return " ".join(f"{number:g}" for number in value)
    return "" if value is None else f"{value:.7g}" if isinstance(value, float) else str(value)


def of_torchvision() -> Iterator[Published]:
    """Yield the weights of torchvision."""
    for theirs, ours in TORCHVISION.items():
        with_head = [w for w in torchvision.get_model_weights(theirs) if w.meta["categories"]]
        for number, weights in enumerate(with_head, 1):
            prepare = weights.transforms()
            file = weights.url.rsplit("/", 1)[1]
            # GoogLeNet normalises its input anew; Inception-v3 too, which loading folds away.
            images = HALVES if theirs == "googlenet" else IMAGENET
            if (tuple(prepare.mean), tuple(prepare.std)) != (IMAGENET["mean"], IMAGENET["std"]):
                raise ValueError(f"{weights}: {prepare}")
            yield Published(
                name="torchvision" if number == 1 else f"torchvision_v{number}",
                network=ours,
                file=file,
                address=weights.url,
                hash="sha256:" + re.fullmatch(r".+-([0-9a-f]{8})\.pth", file)[1],
                top1=weights.meta["_metrics"]["ImageNet-1K"]["acc@1"],
                top1_source="torchvision",
                rows=prepare.crop_size[0],
                shorter_side=prepare.resize_size[0],
                interpolation=prepare.interpolation.value,
                **images,
                classes=1000,
                licence="bsd-3-clause",
            )


def of_timm() -> Iterator[Published]:
    """Yield the weights of timm with 1,000 classes; first of each network, what it takes itself."""
    for theirs, networks in TIMM.items():
        if not timm.is_model(theirs):
            continue
        default = timm.get_pretrained_cfg(theirs).tag
        found = [name for name in timm.list_pretrained() if name.split(".")[0] == theirs]
        found.sort(key=lambda name: name != f"{theirs}.{default}")
        for ours in networks:
            for name in found:
                config = timm.get_pretrained_cfg(name)
                if config.num_classes == 1000:
                    yield of_timm_config(name, ours, config)


def of_timm_config(name: str, network: str, config: Any) -> Published:
    """Return the row of a configuration, for images of the size that the network has here."""
    rows = 299 if network.startswith("inception") else 224
    sizes = {config.input_size[1]: config.crop_pct}
    if config.test_input_size:
        sizes.setdefault(config.test_input_size[1], config.test_crop_pct or config.crop_pct)
    if config.crop_mode != "center" or rows not in sizes:
        raise ValueError(f"{name}: {config}")
    file, address = f"{name}.safetensors", f"https://huggingface.co/{config.hf_hub_id}"
    if config.hf_hub_id is None:
        file, address = config.url.rsplit("/", 1)[1], config.url
    else:
        address += "/resolve/main/model.safetensors"
    top1 = TIMM_TOP1.get(name)
    return Published(
        name=f"timm/{name}",
        network=network,
        file=file,
        address=address,
        hash="",
        top1=top1,
        top1_source="timm" if top1 else "",
        rows=rows,
        shorter_side=int(rows / sizes[rows]),
        interpolation=config.interpolation,
        mean=config.mean,
        std=config.std,
        scale=255,
        classes=config.num_classes,
        licence=config.license or "",
    )


def of_keras() -> Iterator[Published]:
    """Yield the weights of keras.applications, with and without the head."""
    for ours, (theirs, images, licence) in KERAS.items():
        for name, include_top in (("keras", True), ("keras_notop", False)):
            fetched = fetched_by(getattr(keras.applications, theirs), include_top)
            rows = 299 if "inception" in ours else 224
            yield Published(
                name=name,
                network=ours,
                file=fetched["fname"],
                address=fetched["origin"],
                hash=f"md5:{fetched['file_hash']}",
                top1=None,
                top1_source="",
                rows=rows,
                shorter_side=rows * 8 // 7,
                interpolation="bilinear",
                **images,
                classes=1000 if include_top else 0,
                licence=licence,
            )


class FetchedError(Exception):
    """What keras.utils.get_file was called with."""


def fetched_by(application: Any, include_top: bool) -> dict[str, Any]:
    """Return the arguments by which keras.applications fetches a file, without fetching it."""
    stock = keras.src.utils.file_utils.get_file
    signature = inspect.signature(stock)

    def get_file(*args: Any, **kwargs: Any) -> None:
        raise FetchedError(signature.bind(*args, **kwargs).arguments)

    keras.src.utils.file_utils.get_file = get_file
    try:
        with without_values():
            application(include_top=include_top, weights="imagenet")
    except FetchedError as found:
        return found.args[0]
    finally:
        keras.src.utils.file_utils.get_file = stock
    raise ValueError(f"{application.__name__} fetches nothing")


def of_caffe() -> Iterator[Published]:
    """Yield the weights of Caffe in the ONNX model zoo."""
    for ours, (place, rows, top1) in CAFFE.items():
        yield Published(
            name="caffe",
            network=ours,
            file=place.rsplit("/", 1)[1],
            address=f"{ONNX}/{place}",
            hash="",
            top1=top1,
            top1_source="ONNX model zoo",
            rows=rows,
            shorter_side=256,
            interpolation="bilinear",
            mean=(123, 117, 104),
            std=(1, 1, 1),
            scale=1,
            classes=1000,
            licence="bsd-3-clause",
        )


if __name__ == "__main__":
    main()
