"""Feature maps, kernels and the statistics of activations."""
