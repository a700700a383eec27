"""The phrases of the chapter's frame: titles, conventions, how things are told."""

PHRASES: dict[str, dict[str, str]] = {
    "title": {
        "en": "Backpropagation derived: {name}",
        "zh": "反向传播推导：{name}",
    },
    "network": {
        "en": "The network",
        "zh": "网络",
    },
    "declared": {
        "en": "The network {name} is declared by {equations:equation|equations}. "
        "It has {parameters:parameter|parameters} in {arrays:array|arrays}. This "
        "document derives the slope of its objective by each of them. Every "
        "equation from the first to the last has a number; the code that "
        "is emitted for the network carries the same numbers.",
        "zh": "网络 {name} 由 {equations} 个方程声明，{array"
        "s} 个数组中共有 {parameters} 个参数。本章推导目标函数对"
        "每个参数的偏导数。从第一个到最后一个，每个方程都有编号；为该网络生成的代"
        "码使用相同的编号。",
    },
    "picture": {
        "en": "What is computed from what: arrows lead from a quantity to those that "
        "read it.",
        "zh": "各量的计算关系：箭头从一个量指向读取它的量。",
    },
    "penalty not drawn": {
        "en": "Arrows from parameters to the objective, for its penalty, are left out.",
        "zh": "参数到目标函数（惩罚项）的箭头略去不画。",
    },
    "sizes": {
        "en": "Indices count from 0. A sum over an index runs over its whole "
        "range, unless a condition stands below it.",
        "zh": "下标从 0 开始。对某个下标求和时，若求和号下没有写条件，则取遍其整个范"
        "围。",
    },
    "index": {
        "en": "Index",
        "zh": "下标",
    },
    "range": {
        "en": "Range",
        "zh": "范围",
    },
    "notation": {
        "en": "Notation",
        "zh": "记号",
    },
    "superscripts": {
        "en": "A number that ends a name is written above it: {example} is {name}.",
        "zh": "名称末尾的数字写在右上角：{example} 即 {name}。",
    },
    "twins": {
        "en": "A primed index, such as {example}, runs over the same range as "
        "the one without the prime.",
        "zh": "带撇的下标（如 {example}）与不带撇的下标范围相同。",
    },
    "batch": {
        "en": "There are {N} samples. What depends on the sample is written "
        "for one sample, without its index {n}; the mean of such a "
        "quantity over all of them is {mean}.",
        "zh": "共有 {N} 个样本。依赖于样本的量都按一个样本书写，省略样本下标 {n"
        "}；这样的量对全部样本的平均写作 {mean}。",
    },
    "zero outside": {
        "en": "Where a subscript leaves its range, {tensors} is read as 0.",
        "zh": "下标超出范围时，{tensors} 的值读作 0。",
    },
    "deltas": {
        "en": "The error term of a quantity {T} is written {delta}: it is the "
        "derivative {derivative}.",
        "zh": "量 {T} 的误差项记作 {delta}，即导数 {derivative}。",
    },
    "total derivative": {
        "en": "The derivative {total} follows every way from {T} to {L}; {partial} is "
        "the slope of the equation of {L} alone, with all else that it reads held "
        "fast.",
        "zh": "导数 {total} 计入从 {T} 到 {L} 的每条路径；{partial} 只是 {L} 的"
        "方程自身的偏导数，方程所读的其余各量保持不变。",
    },
    "deltas of the batch": {
        "en": "The error term of a quantity {T} is written {delta}: it is the "
        "derivative {derivative} for one sample, or, where {T} does not depend on the "
        "sample, that of the mean {R}.",
        "zh": "量 {T} 的误差项记作 {delta}，即一个样本的导数 {derivative}；"
        "若 {T} 不依赖于样本，则是平均值 {R} 的导数。",
    },
    "symbol": {
        "en": "Symbol",
        "zh": "符号",
    },
    "name": {
        "en": "Name",
        "zh": "名称",
    },
    "meaning": {
        "en": "Meaning",
        "zh": "含义",
    },
    "shape": {
        "en": "Shape",
        "zh": "形状",
    },
    "scalar": {
        "en": "number",
        "zh": "标量",
    },
    "parameter": {
        "en": "parameter",
        "zh": "参数",
    },
    "data": {
        "en": "data",
        "zh": "数据",
    },
    "whole numbers": {
        "en": "whole numbers",
        "zh": "整数",
    },
    "each sample": {
        "en": "one for each sample",
        "zh": "每个样本一份",
    },
    "constant": {
        "en": "constant, {value}",
        "zh": "常数，{value}",
    },
    "objective of": {
        "en": "objective",
        "zh": "目标函数",
    },
    "pre-activation": {
        "en": "pre-activation",
        "zh": "净输入",
    },
    "activation by": {
        "en": "activation, by {function}",
        "zh": "活性值，激活函数 {function}",
    },
    "intermediate": {
        "en": "intermediate",
        "zh": "中间量",
    },
    "split": {
        "en": "split off as an equation of its own",
        "zh": "单独写成方程的求和",
    },
    "place": {
        "en": "where the extremum is taken",
        "zh": "取到极值的位置",
    },
    "see": {
        "en": "see {equations}",
        "zh": "见 {equations}",
    },
    "forward": {
        "en": "Forward equations",
        "zh": "前向方程",
    },
    "forward text": {
        "en": "In the order in which they are computed:",
        "zh": "按计算顺序：",
    },
    "recurrence up": {
        "en": "What follows is a recurrence, {equations}: it is computed together, for "
        "one value of {index} after the other, from {first} up to {last}.",
        "zh": "方程 {equations} 构成递推，对 {index} 从 {fir"
        "st} 到 {last} 逐步一起计算。",
    },
    "recurrence down": {
        "en": "What follows is a recurrence, {equations}: it is computed together, for "
        "one value of {index} after the other, from {last} down to {first}.",
        "zh": "方程 {equations} 构成递推，对 {index} 从 {las"
        "t} 到 {first} 逐步一起计算。",
    },
    "rewritten": {
        "en": "Not as it was declared, but in an equal form that neither overflows nor "
        "cancels, stands {equations}.",
        "zh": "方程 {equations} 没有按声明的样子书写，而是写成不会溢出也不"
        "会相消的等价形式。",
    },
    "repeated": {
        "en": "The first of {count} equal layers is given by {equations}; {others} "
        "are the same with other names, each layer with its own indices:",
        "zh": "{count} 个相同层中的第一个由 {equations} 给出；{others} 与之相同，"
        "只是名称不同，且每层有自己的下标：",
    },
    "repeated beside": {
        "en": "Of {count} groups of the same form the first is {equations}; {others} "
        "differ from it in names and indices alone:",
        "zh": "{count} 组形式相同的方程中，第一组是 {equations}；{others} 只有名称和"
        "下标不同：",
    },
    "here": {
        "en": "Here",
        "zh": "此处",
    },
    "there": {
        "en": "In the others",
        "zh": "其他各组中",
    },
    "left out": {
        "en": "Of equal layers, and of groups of the same form, the first is shown.",
        "zh": "相同的层或形式相同的各组，只写第一个。",
    },
    "stable form": {
        "en": "stable form",
        "zh": "稳定形式",
    },
    "shift of a sum of exponentials": {
        "en": "shifted by the maximum",
        "zh": "减去最大值",
    },
    "logarithm by name": {
        "en": "logarithm by an equation of its own",
        "zh": "对数单独写成方程",
    },
    "definition": {
        "en": "definition",
        "zh": "定义",
    },
    "derivative": {
        "en": "derivative",
        "zh": "求导",
    },
    "objective": {
        "en": "The objective",
        "zh": "目标函数",
    },
    "objective text": {
        "en": "Training makes {value} small, equation {equation}.",
        "zh": "训练使方程 {equation} 中的 {value} 变小。",
    },
    "objective of the batch": {
        "en": "Equation {equation} gives the objective {objective} of one "
        "sample. Training makes its mean over the samples small:",
        "zh": "方程 {equation} 给出一个样本的目标函数 {objective"
        "}。训练使它对全部样本的平均变小：",
    },
    "local": {
        "en": "Local derivatives",
        "zh": "局部导数",
    },
    "errors": {
        "en": "Error terms",
        "zh": "误差项",
    },
    "unused": {
        "en": "the objective does not depend on it",
        "zh": "目标函数不依赖于它",
    },
    "gradients": {
        "en": "Gradients",
        "zh": "梯度",
    },
    "update": {
        "en": "The update rule",
        "zh": "参数更新",
    },
    "update text": {
        "en": "Gradient descent with learning rate {rate} replaces each parameter by",
        "zh": "梯度下降以学习率 {rate} 更新每个参数：",
    },
    "with": {
        "en": "with {equations}",
        "zh": "用 {equations}",
    },
    "checks": {
        "en": "How this was checked",
        "zh": "检验",
    },
    "checks text": {
        "en": "Before this derivation was returned, it was compared with "
        "witnesses that know the forward equations alone.",
        "zh": "本推导在给出之前，已经与只知道前向方程的独立检验者对照过。",
    },
    "compared": {
        "en": "Compared",
        "zh": "对照内容",
    },
    "cases": {
        "en": "Cases",
        "zh": "情形数",
    },
    "worst": {
        "en": "Largest relative error",
        "zh": "最大相对误差",
    },
    "exact": {
        "en": "none",
        "zh": "无",
    },
    "and": {
        "en": " and ",
        "zh": " 和 ",
    },
    "comma": {
        "en": ", ",
        "zh": "，",
    },
    "brackets": {
        "en": "A bracket {example} is 1 where its condition holds; where it fails, "
        "what it multiplies is 0. Kronecker's delta is written {delta}: it is 1 where "
        "{letter} and {prime} are equal.",
        "zh": "方括号 {example} 在其中的条件成立时为 1；条件不成立时，它所乘的项为 0。"
        "克罗内克符号写作 {delta}，当 {letter} 与 {prime} 相等时为 1。",
    },
    "local text": {
        "en": "The chain rule needs the slope of each forward equation by each "
        "quantity that it reads. A read of an entry changes with that entry alone, "
        "which a bracket says; under a sum it leaves one summand. What has been "
        "computed already is used by its name.",
        "zh": "链式法则需要每个前向方程对其所读各量的偏导数。读取某个分量，只随该分量"
        "变化，这由方括号表示；在求和号下，方括号只留下一项。已经算出的量直接用其名称。",
    },
    "errors text": {
        "en": "Backwards from the objective, each quantity collects one term for each "
        "forward equation that reads it: the error term of what that equation "
        "computes, times its slope.",
        "zh": "从目标函数往回，每个量从读取它的每个前向方程得到一项："
        "该方程左端的误差项乘以它的偏导数。",
    },
    "gradients text": {
        "en": "The same step at a parameter gives its slope, which is what training "
        "needs.",
        "zh": "对参数做同样的一步，就得到训练所需的偏导数。",
    },
}
