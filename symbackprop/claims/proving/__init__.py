"""Claims proved in symbols, where that is within reach."""
