"""Measured data as JSON takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def finite(value: Any) -> Any:
    """Plain dicts, lists and numbers; JSON has no NaN and no infinities: None.

    >>> finite({"error": (1.0, float("nan"))})
    {'error': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def json_text(entries: Mapping[str, Any], indent: int | None = None) -> str:
    """A JSON object.

    >>> json_text({"seconds": float("inf")})
    '{"seconds": null}'
    """
    return json.dumps(finite(entries), indent=indent)
