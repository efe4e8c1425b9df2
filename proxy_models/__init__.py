"""Proxy models: small decoders trained on one mix each, and the scores they give to evals.

The package knows tokens, weights and checkpoints; it knows nothing of the pipeline, of Ray or of storage.
Modules import torch themselves, so that importing the package costs nothing.
"""
