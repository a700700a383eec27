"""The words of the page around the chapter, and of other formats."""

PHRASES: dict[str, dict[str, str]] = {
    "contents": {"en": "Contents", "zh": "目录"},
    "skip": {"en": "Skip to the text", "zh": "跳到正文"},
    "theme": {"en": "Light or dark", "zh": "浅色或深色"},
    "code of": {
        "en": "Code and origin of equation ({number})",
        "zh": "式 ({number}) 的代码与来源",
    },
    "emitted code": {"en": "Emitted code", "zh": "生成的代码"},
    "derived from": {"en": "Derived from", "zh": "推导自"},
    "close": {"en": "Close", "zh": "关闭"},
    "hint": {
        "en": "Point at an equation, or choose its number, to see the code that "
        "computes it and the equations that it comes from.",
        "zh": "指向某个方程或点选其编号，即可查看计算它的代码以及推出它的方程。",
    },
    "diagram": {"en": "Diagram", "zh": "示意图"},
    "made with": {
        "en": "Derived by symbackprop. Formulas are drawn by Temml {version} (MIT).",
        "zh": "由 symbackprop 推导。公式由 Temml {version}（MIT 许可）绘制。",
    },
}
