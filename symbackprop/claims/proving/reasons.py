"""Why a line of a proof holds, in each language."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, Mapping[str, str]] = {
    "by differentiation": {"en": "by differentiation", "zh": "求导"},
    "by definition": {
        "en": "by the definition of {names}",
        "zh": "由 {names} 的定义",
    },
    "by case": {"en": "where {case}", "zh": "当 {case}"},
    "as one fraction": {
        "en": "brought over one denominator",
        "zh": "通分",
    },
    "by Euler": {
        "en": "by Euler's formula, sin and cos as exponentials",
        "zh": "由欧拉公式，把 sin 与 cos 写成指数",
    },
    "is positive": {"en": "which is positive", "zh": "它为正"},
    "is not negative": {"en": "which is not negative", "zh": "它非负"},
    "as it stands": {"en": "both sides are the same", "zh": "两边相同"},
}
