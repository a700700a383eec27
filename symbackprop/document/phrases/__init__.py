"""Every phrase that a document can say, in each language that it speaks.

A phrase is a template; what stands in braces is filled with mathematics, names or
words. Each module tells a part of the chapter; a new language adds its column to the
rows.
"""

from symbackprop.document.phrases import (
    claims,
    formats,
    functions,
    general,
    operations,
    proofs,
    saturation,
)

LANGUAGES = ("en", "zh")

PARTS = (general, proofs, formats, functions, saturation, operations, claims)

PHRASES: dict[str, dict[str, str]] = {
    key: row for part in PARTS for key, row in part.PHRASES.items()
}
