"""All methods of differentiation on one program, measured; studies of what they do."""
