"""From a trained model to what production runs: smaller, faster, and proved to say the same."""
