"""Lower precision: half floats, and 8-bit integers by calibration."""
