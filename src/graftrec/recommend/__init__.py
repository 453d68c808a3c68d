"""Scores to lists, and lists to metrics."""
