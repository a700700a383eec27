"""The phrases of the section on saturation: bounds of slopes and what they mean."""

PHRASES: dict[str, dict[str, str]] = {
    "saturation": {
        "en": "Saturation",
        "zh": "饱和与梯度消失",
    },
    "saturation text": {
        "en": "An activation saturates where its slope is nearly 0: little of an "
        "error gets back through it there. For each activation {f} of a "
        "pre-activation the table gives the least upper bound of the "
        "slope's magnitude, where it is attained, the limits of the slope "
        "on both sides, and where its magnitude is below {small}.",
        "zh": "激活函数在导数接近 0 处饱和：误差在那里几乎不能回传。对作用于净输"
        "入的每个激活函数 {f}，下表给出导数绝对值的上确界、取到它的位置、导"
        "数在两侧的极限，以及导数绝对值小于 {small} 的范围。",
    },
    "function": {
        "en": "Function",
        "zh": "函数",
    },
    "attained": {
        "en": "Attained at",
        "zh": "取到处",
    },
    "everywhere": {
        "en": "all {x}",
        "zh": "所有 {x}",
    },
    "nowhere": {
        "en": "nowhere",
        "zh": "无",
    },
    "depends": {
        "en": "depends on {r}",
        "zh": "取决于 {r}",
    },
    "no limit": {
        "en": "none",
        "zh": "无",
    },
    "passage": {
        "en": "Where a layer's activations are read by the next layer alone, its "
        "error term is the slope times what the next error term sends back "
        "through the weights. With Euclidean lengths of vectors, and with "
        "the largest singular value as the norm of a matrix,",
        "zh": "若一层的活性值只被下一层读取，其误差项就等于导数乘以下一层误差项经"
        "权重传回的量。取向量的欧几里得长度，并以最大奇异值为矩阵的范数，则"
        "有",
    },
    "slope at most": {
        "en": "each entry's slope is at most its bound",
        "zh": "每个元素的导数不超过上确界",
    },
    "norm at most": {
        "en": "by the norm of the matrix",
        "zh": "由矩阵范数的定义",
    },
    "depth": {
        "en": "One such step follows another through {count} layers, from {last} back "
        "to {first}:",
        "zh": "这样的步骤从 {last} 到 {first} 连续经过 {count} 层：",
    },
    "shrinks": {
        "en": "So the slopes alone shrink an error to at most {share} of its length, "
        "even where no function saturates; only large weights can make up for it. "
        "This is why the gradient vanishes in deep networks of such functions.",
        "zh": "因此，即使没有任何函数饱和，仅导数一项就把误差缩小到其长度的 "
        "{share} 以内，只有较大的权重才能补偿。这就是由这类函数组成的深层网"
        "络出现梯度消失的原因。",
    },
    "keeps": {
        "en": "The slope of {functions} is 1 on a whole half line: there an error "
        "passes through without shrinking, however many such layers there are.",
        "zh": "{functions} 的导数在整条半直线上等于 1：误差在那里通过时不会缩小，"
        "不论有多少这样的层。",
    },
    "saturates both": {
        "en": "The slope of {functions} goes to 0 on both sides: a pre-activation far "
        "from 0 blocks its error.",
        "zh": "{functions} 的导数在两侧都趋于 0：净输入远离 0 时，误差被阻断。",
    },
    "saturates left": {
        "en": "The slope of {functions} goes to 0 on the left alone: a strongly "
        "negative pre-activation blocks its error.",
        "zh": "{functions} 的导数只在左侧趋于 0：净输入为很大的负数时，误差被阻断。",
    },
    "dead left": {
        "en": "The slope of {functions} is 0 for every negative argument: a unit "
        "whose pre-activation is negative for all samples gets no "
        "gradient, and stays so.",
        "zh": "{functions} 的导数对所有负的自变量都为 0：若一个神经元的净输入对所"
        "有样本都为负，它就得不到梯度，从此不再变化。",
    },
}
