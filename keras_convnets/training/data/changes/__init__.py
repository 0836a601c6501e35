"""The changes to training images beyond crops and flips, a file for each kind."""
