"""The phrases of the section on operations and memory."""

PHRASES: dict[str, dict[str, str]] = {
    "operations": {
        "en": "Operations and memory",
        "zh": "运算量与存储量",
    },
    "operations text": {
        "en": "What the equations take as they are written, for one sample. A "
        "part of an equation is computed once for each combination of the "
        "indices that it has; a sum of several terms takes one addition "
        "fewer than it has terms. A difference counts as an addition, a "
        "minus sign as nothing. Choices are comparisons, maxima and cases; "
        "calls are those of functions, each counted as one.",
        "zh": "下表按方程的书写形式统计一个样本的运算量。方程的每一部分对它所含下"
        "标的每种取值组合计算一次；若干项之和的加法次数比项数少一。减法计为"
        "加法，负号不计。选择包括比较、取最值与分段；调用指函数求值，每次计"
        "为一次。",
    },
    "forward operations": {
        "en": "Forward:",
        "zh": "前向：",
    },
    "backward operations": {
        "en": "Backward:",
        "zh": "反向：",
    },
    "equation": {
        "en": "Equation",
        "zh": "方程",
    },
    "computes": {
        "en": "Computes",
        "zh": "所求量",
    },
    "choices": {
        "en": "Choices",
        "zh": "选择",
    },
    "calls": {
        "en": "Calls",
        "zh": "调用",
    },
    "stored": {
        "en": "Stored",
        "zh": "存储",
    },
    "total": {
        "en": "Total",
        "zh": "合计",
    },
    "equal layers counted": {
        "en": "The equations of equal layers share a row, which counts one of "
        "them; the totals count them all.",
        "zh": "相同层的方程共用一行，该行只计其中一个；合计则全部计入。",
    },
    "totals": {
        "en": "Altogether the forward equations take {forward} operations and the "
        "backward equations {backward}, which is {ratio} times as many.",
        "zh": "前向方程共需 {forward} 次运算，反向方程共需 {backward} 次，是前向"
        "的 {ratio} 倍。",
    },
    "memory": {
        "en": "The values and error terms of one sample are {workspace} numbers; the "
        "parameters are {parameters}, and their slopes as many again.",
        "zh": "一个样本的各量与误差项共 {workspace} 个数；参数有 {parameters} 个"
        "，其偏导数的个数相同。",
    },
    "batch cost": {
        "en": "What depends on the sample is computed {N} times for {N} samples, "
        "what does not, once; a mean over them takes an addition for each "
        "further sample and one division by {N}, which is counted here.",
        "zh": "对 {N} 个样本，依赖于样本的量计算 {N} 次，其余只计算一次；对样本求"
        "平均时，每多一个样本多一次加法，最后除以 {N} 一次，该除法已计入表"
        "中。",
    },
}
