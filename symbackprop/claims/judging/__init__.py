"""Whether the sides of a claim agree, and where they do not."""
