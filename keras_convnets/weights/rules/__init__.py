"""The layouts of all sources: one table a family and source."""

from __future__ import annotations

from keras_convnets.weights.layout import Layout

LAYOUTS: tuple[Layout, ...] = ()
