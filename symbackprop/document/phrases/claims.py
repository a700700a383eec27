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
    "other layout": {
        "en": "it would hold with `{derivatives}` in {layout} layout",
        "zh": "若 `{derivatives}` 采用{layout}布局，则成立",
    },
    "layout denominator": {"en": "denominator", "zh": "分母"},
    "layout numerator": {"en": "numerator", "zh": "分子"},
    "all else 0": {"en": "all else 0", "zh": "其余为 0"},
    "at row": {"en": "row {n}", "zh": "第 {n} 行"},
    "at column": {"en": "column {n}", "zh": "第 {n} 列"},
    "all values": {"en": "whatever the values", "zh": "无论各量取何值"},
    "all 0": {"en": "all values 0", "zh": "所有量均为 0"},
    # The report on many claims.
    "claims": {"en": "Claims put to the test", "zh": "公式检验"},
    "claims of": {"en": "Claims about {program}", "zh": "关于 {program} 的公式"},
    "claims summary": {"en": "Summary", "zh": "概要"},
    "claims verdicts": {"en": "The claims in their order", "zh": "按顺序列出的公式"},
    "claims refuted": {
        "en": "What does not hold as it stands",
        "zh": "不能照原样成立的公式",
    },
    "claims refuted text": {
        "en": "What is wrong with each formula, and what holds instead where that was "
        "found.",
        "zh": "以下说明每条公式错在何处，并在找到时给出成立的公式。",
    },
    "claims proofs text": {
        "en": "Line by line, from the equations of the programs.",
        "zh": "由程序的方程逐行推出。",
    },
    "claims proofs": {"en": "Proofs", "zh": "证明"},
    "claims counted": {
        "en": "{n:formula was|formulas were} put to the test: {sound:holds|hold} as "
        "written, {rest:does|do} not.",
        "zh": "共检验 {n} 条公式：{sound} 条照原样成立，{rest} 条不成立。",
    },
    "claims denominator": {
        "en": "Vectors are columns. Derivatives are in denominator layout: that of a "
        "number by a matrix has the matrix's shape, that of an {m}-vector by an "
        "{n}-vector is {n} × {m}.",
        "zh": "向量均为列向量。导数采用分母布局：数对矩阵的导数与该矩阵同形，"
        "{m} 维向量对 {n} 维向量的导数为 {n} × {m} 矩阵。",
    },
    "claims numerator": {
        "en": "Vectors are columns. Derivatives are in numerator layout: that of a "
        "number by a matrix has the transposed shape, that of an {m}-vector by an "
        "{n}-vector is {m} × {n}.",
        "zh": "向量均为列向量。导数采用分子布局：数对矩阵的导数为其转置的形状，"
        "{m} 维向量对 {n} 维向量的导数为 {m} × {n} 矩阵。",
    },
    "claims by kind": {
        "en": "{n:claim|claims}: {kinds}",
        "zh": "共 {n} 条：{kinds}",
    },
    "count holds": {"en": "{n:holds|hold}", "zh": "成立 {n} 条"},
    "count fails": {"en": "{n:fails|fail}", "zh": "不成立 {n} 条"},
    "count holds only if": {
        "en": "{n:holds|hold} under a condition",
        "zh": "附条件成立 {n} 条",
    },
    "count does not type": {"en": "{n:does|do} not type", "zh": "维数不符 {n} 条"},
    "count definition": {
        "en": "{n:is a definition|are definitions}",
        "zh": "定义 {n} 条",
    },
    "count update rule": {
        "en": "{n:is an update rule|are update rules}",
        "zh": "更新规则 {n} 条",
    },
    "count cannot be decided": {
        "en": "{n} cannot be decided",
        "zh": "无法判定 {n} 条",
    },
    "column number": {"en": "no.", "zh": "编号"},
    "column section": {"en": "section", "zh": "节"},
    "column formula": {"en": "formula", "zh": "公式"},
    "column claim": {"en": "claim", "zh": "公式"},
    "column verdict": {"en": "verdict", "zh": "判定"},
    "column count": {"en": "number", "zh": "条数"},
    "column line": {"en": "line", "zh": "推导"},
    "column why": {"en": "why", "zh": "理由"},
    "column meaning": {"en": "what it means", "zh": "含义"},
    "meaning holds": {
        "en": "true for all values of what stands in it",
        "zh": "对其中各量的一切取值都成立",
    },
    "meaning fails": {
        "en": "false: there are values at which both sides differ",
        "zh": "错误：存在使两边不相等的取值",
    },
    "meaning holds only if": {
        "en": "true under a condition that it does not say",
        "zh": "在未写明的条件下才成立",
    },
    "meaning does not type": {
        "en": "shapes do not meet, so that nothing is said",
        "zh": "形状对不上，式子没有意义",
    },
    "meaning definition": {
        "en": "says what a letter stands for; there is nothing to prove",
        "zh": "规定记号的含义，无需证明",
    },
    "meaning update rule": {
        "en": "says what is done; there is nothing to prove",
        "zh": "规定如何更新，无需证明",
    },
    "meaning cannot be decided": {
        "en": "beyond what can be judged here",
        "zh": "超出此处能够判定的范围",
    },
    "shown proof": {"en": "{verdict}, proved", "zh": "{verdict}，已证明"},
    "shown exact": {"en": "{verdict}, exactly", "zh": "{verdict}，精确验证"},
    "shown digits": {"en": "{verdict}, to 50 digits", "zh": "{verdict}，50 位验证"},
    "shown given": {"en": "{verdict}; given {fact}", "zh": "{verdict}；已知 {fact}"},
    "noted": {"en": "{verdict}. {note}", "zh": "{verdict}。{note}"},
    "section named": {"en": "{title} ({number})", "zh": "{title}（{number}）"},
    "section numbered": {"en": "Section {number}", "zh": "第 {number} 节"},
    "section none": {"en": "Claims", "zh": "公式"},
    "claim of kind": {"en": "Formula {number} {kind}:", "zh": "式 {number} {kind}："},
    "claim read as": {"en": "Read as {formula}.", "zh": "读作 {formula}。"},
    "claim because": {"en": "Reason: {reason}.", "zh": "原因：{reason}。"},
    "claim because, but": {
        "en": "Reason: {reason}; but {hint}.",
        "zh": "原因：{reason}；不过，{hint}。",
    },
    "claim differs": {
        "en": "Counterexample: for {values}, the left side is {left}, the right one "
        "{right}.",
        "zh": "反例：当 {values} 时，左边为 {left}，右边为 {right}。",
    },
    "claim right": {"en": "What holds instead:", "zh": "成立的是："},
}
