"""Sweeps: many runs of one study by Hydra's launchers and Optuna; what is killed goes on with the same command."""
