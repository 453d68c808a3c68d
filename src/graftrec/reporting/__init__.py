"""Run folders to tables that people read."""
