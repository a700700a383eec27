"""Why a line of a proof holds, in each language; names and formulas in backticks."""

from __future__ import annotations

REASONS: dict[str, dict[str, str]] = {
    "as it stands": {"en": "both sides are the same", "zh": "两边相同"},
    "by differentiation": {"en": "by differentiation", "zh": "求导"},
    "by the chain rule": {
        "en": "by the chain rule through {names}",
        "zh": "由链式法则，经由 {names}",
    },
    "by equation": {
        "en": "by the equation of {names}",
        "zh": "由 {names} 的方程",
    },
    "by definition": {
        "en": "by the definition of {names}",
        "zh": "由 {names} 的定义",
    },
    "by definition of slopes": {
        "en": "with derivatives written through saved values",
        "zh": "把导数写成已存值的式子",
    },
    "entries add up to 1": {
        "en": "the entries of {names} add up to 1",
        "zh": "{names} 的各项之和为 1",
    },
    "by this": {"en": "by the line before", "zh": "由上一行"},
    "by case": {"en": "in this case", "zh": "在此情形"},
    "as one fraction": {"en": "as one fraction", "zh": "通分"},
    "by cancellation": {"en": "by cancellation", "zh": "化简相消"},
    "by Euler": {
        "en": "by Euler's formula, with exponentials for sin and cos",
        "zh": "由欧拉公式，把 sin 与 cos 写成指数",
    },
    "is positive": {"en": "which is positive", "zh": "它为正"},
    "is not negative": {"en": "which is not negative", "zh": "它非负"},
    "is positive by definition": {
        "en": "which is positive, by the definition of {names}",
        "zh": "由 {names} 的定义，它为正",
    },
    "is not negative by definition": {
        "en": "which is not negative, by the definition of {names}",
        "zh": "由 {names} 的定义，它非负",
    },
}
