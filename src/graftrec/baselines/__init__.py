"""Recommenders without training, behind the same scoring contract."""
