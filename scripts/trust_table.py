"""Measure how exactly networks compute what their sources do: ``python scripts/trust_table.py``.

It runs the tests that compare them, which take five minutes and need PyTorch, torchvision and timm
(see ``tests/torchvision_models.py``), and writes the largest differences to the table. Arguments
are passed to pytest, as in ``python scripts/trust_table.py tests/weights/test_parity_torch.py``:
then only the rows that these tests measure are replaced.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from keras_convnets import list_models
from keras_convnets.weights.published.trust import Key, trusted, write

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from trust import RECORD  # noqa: E402

FOLDER = ROOT / "tests/weights"
TESTS = [*map(str, sorted(FOLDER.glob("test_parity_*.py"))), str(FOLDER / "test_keras_parity.py")]


def main(*arguments: str) -> None:
    """Run the tests, and write what they have measured."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.csv"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "", *(arguments or TESTS)]
        environment = os.environ | {RECORD: str(record), "KERAS_CONVNETS_TEST_DEEP": "1"}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        measured = [line.split(",") for line in record.read_text().splitlines()]
    new: dict[Key, float] = {}
    for network, source, precision, direction, difference in measured:
        key = (network, source, precision, direction)
        new[key] = max(float(difference), new.get(key, 0.0))
    table = (trusted() if arguments else {}) | new
    names = [name for name in list_models() if any(network == name for network, *_ in table)]
    order = sorted(table, key=lambda key: (names.index(key[0]), *key[1:]))
    write((*key, f"{table[key]:.1e}") for key in order)
    print(f"{len(order)} differences of {len(names)} networks")


if __name__ == "__main__":
    main(*sys.argv[1:])
