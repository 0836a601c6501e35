"""Images as torchvision prepares them, from Pillow's images and from tensors."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from keras_convnets.training import Preprocessing
from torchvision_models import load

torch, _ = load()
photographs = dict(zip(("china", "flower"), load_sample_images().images, strict=True))


def theirs(image, rows, shorter_side, interpolation, tensor):
    from torchvision.transforms import v2 as transforms

    size = transforms.InterpolationMode(interpolation)
    given = torch.tensor(image).permute(2, 0, 1) if tensor else Image.fromarray(image)
    of_them = transforms.Compose(
        [
            transforms.Resize(shorter_side, size, antialias=True),
            transforms.CenterCrop(rows),
            transforms.ToImage(),
            transforms.ToDtype(torch.float32, scale=True),
        ]
    )
    return of_them(given).permute(1, 2, 0).numpy()


@pytest.mark.parametrize("tensor", [False, True])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("rows", "shorter_side"), [(224, 256), (224, 232), (299, 342), (288, 288)])
def test_photographs(rows, shorter_side, interpolation, tensor, record_property):
    """The difference is in levels of 255."""
    prepare = Preprocessing(
        *(3, rows, rows),
        resize="crop",
        shorter_side=shorter_side,
        interpolation=interpolation,
    )
    for name, image in photographs.items():
        for turned in (image, image.transpose(1, 0, 2), image[:, :427], image[13:400, 20:405]):
            ours = prepare(turned).numpy()
            other = theirs(turned, rows, shorter_side, interpolation, tensor)
            difference = float(np.abs(ours - other).max()) * 255
            record_property(f"{name} {turned.shape}", difference)
            # Torchvision's own two ways differ by 1.
            assert difference <= (2 if tensor else 1) + 1e-4
            assert np.mean(np.abs(ours - other) < 1e-6) > 0.98  # the others by 1 of 255
