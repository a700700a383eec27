"""Proofs in index form, line by line, each line held against a witness."""
