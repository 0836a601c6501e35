"""Which pixels the units of a layer see."""
