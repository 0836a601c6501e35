"""Files that others published years ago, in the wheels of their packages: read as PyTorch does.

The environment variable ``KERAS_CONVNETS_TEST_WHEELS`` names a folder with wheels, such as
``pip download --no-deps lpips==0.1.4`` writes.
"""

import io
import os
import zipfile
from pathlib import Path

import pytest

from keras_convnets.weights.formats.formats import read

torch = pytest.importorskip("torch")

WHEELS = os.environ.get("KERAS_CONVNETS_TEST_WHEELS", "")
FOUND = sorted(Path(WHEELS).glob("*.whl")) if WHEELS else []


def weights_of(wheel):
    """Yield the weight files in a wheel, as bytes."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith((".pth", ".pt")):
                yield archive.read(name)


@pytest.mark.skipif(not FOUND, reason="no wheels in the folder KERAS_CONVNETS_TEST_WHEELS")
@pytest.mark.parametrize("wheel", FOUND, ids=lambda wheel: wheel.name)
def test_real_files_of_the_legacy_format(wheel, tmp_path):
    files = list(weights_of(wheel))
    if not files:
        pytest.skip("it has no weights")
    for contents in files:
        (tmp_path / "weights").write_bytes(contents)
        found = read(tmp_path / "weights")
        assert found.kind == "torch legacy"
        expected = torch.load(io.BytesIO(contents), "cpu", weights_only=True)
        assert list(found.arrays) == list(expected)
        for key, tensor in expected.items():
            assert found.arrays[key].dtype == tensor.numpy().dtype
            assert found.arrays[key].shape == tuple(tensor.shape)
            assert found.arrays[key].tobytes() == tensor.numpy().tobytes()
