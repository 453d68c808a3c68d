"""Hydra's plugin scan finds the sweeper here."""
