"""The dashboard as code: one description, drawn as a W&B workspace or report, as one HTML file, in the terminal."""
