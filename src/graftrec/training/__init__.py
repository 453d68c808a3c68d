"""The LightningDataModule, the LightningModules, and their callbacks."""
