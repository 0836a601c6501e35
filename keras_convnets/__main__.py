"""Run the ``keras-convnets`` command as ``python -m keras_convnets``."""

import sys

from keras_convnets.cli import main

sys.exit(main())
