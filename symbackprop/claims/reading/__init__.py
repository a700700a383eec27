"""From a claim's text to equations over its program."""
