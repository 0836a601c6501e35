"""What the benchmarks ``scripts/benchmark_*.py`` have in common."""
