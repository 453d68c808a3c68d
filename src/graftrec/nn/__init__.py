"""Inputs, graph encoders, scorers, and the recommender they make."""
