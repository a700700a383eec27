"""A verdict in words, in each language: its kind, its reason and what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbackprop.claims import grounds
from symbackprop.document.chapter import Inline, Math
from symbackprop.document.words import Words

if TYPE_CHECKING:
    from symbackprop.claims.verdict import Counterexample, Verdict

# Why a claim holds, does not type or cannot be decided; `Reason` fills in the parts.
# Names and formulas stand in backticks.
REASONS: dict[str, dict[str, str]] = {
    "proof scalar": {
        "en": "proved: both sides are one function",
        "zh": "已证明：两边是同一个函数",
    },
    "proof": {
        "en": "proved from the program's equations",
        "zh": "已由程序的方程证明",
    },
    "exact": {
        "en": "shown exactly on random fractions, whatever the functions are",
        "zh": "在随机分数上精确验证，与函数的选取无关",
    },
    "digits": {
        "en": "shown to 50 digits at random points",
        "zh": "在随机点上验证到 50 位",
    },
    "orders": {
        "en": "it is not proved, and holds at all points that were tried",
        "zh": "未能证明，但在所有试过的点上成立",
    },
    "restates": {
        "en": "the program's own equation",
        "zh": "即程序自身的方程",
    },
    "new name": {
        "en": "of `{name}`, which is not known here",
        "zh": "引入这里未知的记号 `{name}`",
    },
    "hides": {
        "en": "here it holds only because layers share an activation; it fails with "
        "{functions}",
        "zh": "此处成立只因各层激活函数相同；取 {functions} 时不成立",
    },
    "update rule": {
        "en": "whose shapes meet",
        "zh": "形状一致",
    },
    "flow": {
        "en": "each is computed directly from the one before it",
        "zh": "每个量都由前一个直接算出",
    },
    "no flow": {
        "en": "`{name}` is computed from {sources}",
        "zh": "`{name}` 由 {sources} 算出",
    },
    "letter misfit": {
        "en": "`{letter}` would run over axes of several sizes: {places}",
        "zh": "`{letter}` 取遍的轴长度不一：{places}",
    },
    "subscript misfit": {
        "en": "axes of `{name}`: {axes}, but subscripts here: {came}",
        "zh": "`{name}` 有 {axes} 个轴，这里却有 {came} 个下标",
    },
    "rank misfit": {
        "en": "axes of `{name}`: {axes}, which is no matrix; write its subscripts",
        "zh": "`{name}` 有 {axes} 个轴，不是矩阵；请写出下标",
    },
    "product misfit": {
        "en": "`{left}` is {first} and `{right}` is {second}: no matrix product",
        "zh": "`{left}` 为 {first}，`{right}` 为 {second}：不能作矩阵乘法",
    },
    "entrywise misfit": {
        "en": "`{text}` joins {first} and {second} entry by entry",
        "zh": "`{text}` 要把 {first} 与 {second} 逐元素结合",
    },
    "diagonal misfit": {
        "en": "`{text}` takes the diagonal of {first}, which is not square",
        "zh": "`{text}` 取 {first} 的对角线，而它不是方阵",
    },
    "vector misfit": {
        "en": "`{text}` is of a vector, but here of {first}",
        "zh": "`{text}` 作用于向量，这里却是 {first}",
    },
    "derivative misfit": {
        "en": "axes of `{text}`: {axes}, which is no matrix; write its subscripts",
        "zh": "`{text}` 有 {axes} 个轴，不是矩阵；请写出下标",
    },
    "sides misfit": {
        "en": "one side is {first}, the other {second}",
        "zh": "一边为 {first}，另一边为 {second}",
    },
    "place misfit": {
        "en": "`{name}` is read outside its axis `{axis}` of size {size}: at {over}",
        "zh": "`{name}` 的下标越出长度为 {size} 的轴 `{axis}`：取到 {over}",
    },
    "few points": {
        "en": "its condition holds at too few of the points that were tried",
        "zh": "在试过的点中，满足其条件的太少",
    },
    "one way": {
        "en": "it is not proved, and a choice in it came out one way at all points",
        "zh": "未得证明，且其中某个选择在所有试过的点上结果都一样",
    },
    "many figures": {
        "en": "a number in it has too many figures to tell the sides apart by points",
        "zh": "其中有数的位数太多，无法用数值区分两边",
    },
    "no values": {
        "en": "the sides have no values at any point that was tried",
        "zh": "在所有试过的点上两边都没有值",
    },
    "many letters": {
        "en": "it has too many letters to go through all their places; split it",
        "zh": "字母太多，无法逐一验证；请拆开",
    },
    "many derivatives": {
        "en": "it has more than {most} different derivatives; split it",
        "zh": "其中不同的导数超过 {most} 个；请拆开",
    },
    "second derivative": {
        "en": "a derivative of a derivative is not judged",
        "zh": "不判定导数的导数",
    },
    **grounds.REASONS,
}


def told(verdict: Verdict, language: str = "en") -> str:
    """A verdict in a few lines: kind and reason, counterexample, right formulas, proof.

    >>> from symbackprop.claims.verdict import FAILS, Counterexample, Verdict
    >>> at = Counterexample({}, {"x": 1}, {}, "1", "2")
    >>> print(told(Verdict("x = 2*x", FAILS, counterexample=at, right=("x = x",))))
    fails
      counterexample: x = 1: 1 on the left, 2 on the right
      right: x = x
    """
    words = Words(language)
    lines = [headline(verdict, language)]
    lines += filter(None, [hint(verdict, language)])
    if verdict.counterexample is not None:
        lines.append(instance(verdict.counterexample, language))
    lines += [said(words, "right formula", formula=text) for text in verdict.right]
    width = max((len(line.text) for line in verdict.proof), default=0)
    lines += [
        f"{line.text:<{width}}  {line.why.text(language)}" for line in verdict.proof
    ]
    lines += [said(words, "given fact", fact=fact) for fact in verdict.given]
    return "\n  ".join(lines)


def headline(verdict: Verdict, language: str = "en") -> str:
    """Kind and reason on one line: `holds, proved: both sides are one function`."""
    words, called = Words(language), kind_of(verdict, language)
    if verdict.reason is None:
        return called
    key = "verdict, shown" if verdict.holds else "verdict, because"
    return said(words, key, verdict=called, reason=verdict.reason.text(language))


def kind_of(verdict: Verdict, language: str = "en") -> str:
    """The kind of a verdict with its condition: `holds only if r <= 1`."""
    key = f"verdict {verdict.kind}"
    return said(Words(language), key, condition=verdict.condition)


def hint(verdict: Verdict, language: str = "en") -> str:
    """In which other layout of which derivatives it would hold; "" where in none."""
    if verdict.other_layout is None:
        return ""
    words, (derivatives, layout) = Words(language), verdict.other_layout
    shown = words.text(f"layout {layout}")
    return said(words, "other layout", derivatives=derivatives, layout=shown)


def instance(example: Counterexample, language: str = "en") -> str:
    """A counterexample on one line."""
    words = Words(language)
    at = [
        "".join(map(str, entry(words, letter, place)))
        for letter, place in example.indices.items()
    ]
    rest = [words.text(example.rest)] if example.rest else []
    return said(
        words,
        "counterexample",
        values=words.text("comma").join([*example.places(), *at, *rest]),
        left=example.left,
        right=example.right,
    )


def entry(words: Words, letter: str, place: int, written: Math | str = "") -> Inline:
    """`i = 0`; in matrix form `row 0`.

    Args:
        words: of the language.
        letter: the index, "row" or "column".
        place: its value.
        written: the same in another form, where it is a letter.
    """
    if letter in ("row", "column"):
        return words(f"at {letter}", n=place)
    return (written or f"{letter} = {place}",)


def said(words: Words, key: str, **parts: str | int) -> str:
    """A phrase of plain words."""
    return "".join(map(str, words(key, **parts)))
