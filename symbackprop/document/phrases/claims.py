"""Verdicts on claims, and the report that lists them."""

PHRASES: dict[str, dict[str, str]] = {
    # What a verdict is called, by its kind.
    "verdict holds": {"en": "holds", "zh": "成立"},
    "verdict fails": {"en": "fails", "zh": "不成立"},
    "verdict holds only if": {
        "en": "holds only if {condition}",
        "zh": "仅当 {condition} 时成立",
    },
    "verdict does not type": {"en": "does not type", "zh": "维数不符"},
    "verdict definition": {"en": "definition", "zh": "定义"},
    "verdict update rule": {"en": "update rule", "zh": "更新规则"},
    "verdict cannot be decided": {"en": "cannot be decided", "zh": "无法判定"},
    # A verdict and its reason, where the claim holds and where it does not.
    "verdict, shown": {"en": "{verdict}, {reason}", "zh": "{verdict}，{reason}"},
    "verdict, because": {"en": "{verdict}: {reason}", "zh": "{verdict}：{reason}"},
    "counterexample": {
        "en": "counterexample: {values}: {left} on the left, {right} on the right",
        "zh": "反例：{values}：左边为 {left}，右边为 {right}",
    },
    "right formula": {"en": "right: {formula}", "zh": "正确：{formula}"},
    "given fact": {"en": "given: {fact}", "zh": "已知：{fact}"},
    "everywhere": {"en": "everywhere", "zh": "处处"},
}
