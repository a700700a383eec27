"""The phrases of the section on functions: rules of differentiation, ranges, kinks."""

PHRASES: dict[str, dict[str, str]] = {
    "functions": {
        "en": "Functions and their derivatives",
        "zh": "函数及其导数",
    },
    "functions text": {
        "en": "The derivatives are derived from the definitions. Where one is "
        "written with the value of the function itself, that value has "
        "already been computed: the form is exact, and small in absolute "
        "error, but has little relative accuracy where the function "
        "saturates.",
        "zh": "导数都由定义推出。若导数用函数自身的值表示，则该值此前已经算出：这"
        "种形式是精确的，绝对误差小，但在函数饱和处相对精度低。",
    },
    "values": {
        "en": "{function} has its values in {range}.",
        "zh": "{function} 的值域为 {range}。",
    },
    "kink": {
        "en": "Convention at its kinks: {convention}.",
        "zh": "在不可导点处的约定：{convention}。",
    },
    "slope 0 at both corners": {
        "en": "slope 0 at both corners",
        "zh": "两个拐点处导数取 0",
    },
    "the left slope at 0": {
        "en": "the left slope at 0",
        "zh": "在 0 处取左导数",
    },
    "the first argument takes a tie": {
        "en": "the first argument takes a tie",
        "zh": "相等时取第一个自变量",
    },
    "extrema": {
        "en": "Where several places share the extremum of {sign}, the first of "
        "them takes the whole slope.",
        "zh": "若 {sign} 在多处取到极值，则由其中第一处承担全部导数。",
    },
    "rule: definition": {
        "en": "definition",
        "zh": "定义",
    },
    "rule: conditions solved": {
        "en": "conditions solved for the argument",
        "zh": "把条件化为自变量的条件",
    },
    "rule: known derivative": {
        "en": "derivative",
        "zh": "求导",
    },
    "rule: constant": {
        "en": "derivative of a constant",
        "zh": "常数的导数",
    },
    "rule: constant factor": {
        "en": "constant factor",
        "zh": "常数因子",
    },
    "rule: sum rule": {
        "en": "sum rule",
        "zh": "和的求导法则",
    },
    "rule: power rule": {
        "en": "power rule",
        "zh": "幂的求导法则",
    },
    "rule: power of e": {
        "en": "as a power of e",
        "zh": "写成 e 的幂",
    },
    "rule: product rule": {
        "en": "product rule",
        "zh": "乘积求导法则",
    },
    "rule: quotient rule": {
        "en": "quotient rule",
        "zh": "商的求导法则",
    },
    "rule: chain rule": {
        "en": "chain rule",
        "zh": "链式法则",
    },
    "rule: by cases": {
        "en": "case by case",
        "zh": "分段求导",
    },
    "rule: rearranged": {
        "en": "rearranged",
        "zh": "整理",
    },
    "rule: through its own value": {
        "en": "through its own value",
        "zh": "用函数自身的值表示",
    },
    "rule: derivative of": {
        "en": "derivative of {function}",
        "zh": "{function} 的导数",
    },
    "rule: definition of": {
        "en": "definition of {function}",
        "zh": "{function} 的定义",
    },
    "chord": {
        "en": "{function} imitates {curve} by three straight pieces. The middle "
        "one is the first-order Taylor expansion of {curve} at 0, the "
        "outer ones are its limits:",
        "zh": "{function} 用三段直线近似 {curve}：中间一段是 {curve} 在 0 处的一"
        "阶泰勒展开，两侧是它的极限：",
    },
    "taylor": {
        "en": "Taylor expansion at 0",
        "zh": "在 0 处的泰勒展开",
    },
}
