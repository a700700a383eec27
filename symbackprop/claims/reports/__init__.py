"""Verdicts as tables and documents."""
