"""The phrases of proofs: the names of rules, and what introduces each part."""

PHRASES: dict[str, dict[str, str]] = {
    "rule chain rule": {
        "en": "chain rule, through {equations}",
        "zh": "链式法则，经由 {equations}",
    },
    "rule differentiate": {
        "en": "derivative of {equations}",
        "zh": "对 {equations} 求导",
    },
    "rule delta collapse": {
        "en": "the brackets leave one summand",
        "zh": "方括号只留下一项",
    },
    "rule write out slopes": {
        "en": "slopes written out",
        "zh": "写出导数",
    },
    "rule equation": {
        "en": "equation {equations}",
        "zh": "方程 {equations}",
    },
    "rule substitute": {
        "en": "by {equations}",
        "zh": "代入 {equations}",
    },
    "rule entries add up to 1": {
        "en": "if the entries of {data} add up to 1",
        "zh": "若 {data} 的各分量之和为 1",
    },
    "rule mirror": {
        "en": "the function of the opposite argument",
        "zh": "自变量反号时的函数值",
    },
    "recursion": {
        "en": "The recursion of error terms",
        "zh": "误差项的递推",
    },
    "recursion text": {
        "en": "What lies between two layers can be eliminated: each error term of a "
        "pre-activation follows from those of the layers that read it. In the last "
        "layer nothing is left but the slope of the loss.",
        "zh": "两层之间的中间量可以消去：每个净输入的误差项都由读取它的那些层的误差项"
        "得出。在最后一层，剩下的就是损失函数的偏导数。",
    },
    "example": {
        "en": "A worked example",
        "zh": "数值例子",
    },
    "example text": {
        "en": "The same equations on small axes, {sizes}, for one sample. Numbers are "
        "rounded where they are printed, not where they are used.",
        "zh": "同样的方程，取较小的下标范围（{sizes}），只用一个样本。"
        "数字只在印出时舍入，计算中不舍入。",
    },
    "example numbers": {
        "en": "The same equations with numbers, for one sample. They are rounded where "
        "they are printed, not where they are used.",
        "zh": "同样的方程，代入数字，只用一个样本。数字只在印出时舍入，计算中不舍入。",
    },
    "example forward": {
        "en": "Forwards, with the first entry of each quantity written out:",
        "zh": "前向计算，并写出每个量第一个分量的算式：",
    },
    "example backward": {
        "en": "And backwards, from the objective to the parameters:",
        "zh": "再从目标函数反向算到各个参数：",
    },
    "example check": {
        "en": "Check: moved a little up and down, {entry} changes the objective at the "
        "rate {quotient}; the derivation gives {slope}. One step of gradient descent "
        "with {rate} leads to",
        "zh": "检验：把 {entry} 上下微调，目标函数的变化率为 {quotient}；推导给出 "
        "{slope}。以 {rate} 做一步梯度下降，得到",
    },
    "adjoint equations, exactly on fractions": {
        "en": "adjoint equations, exactly on fractions",
        "zh": "伴随方程，用分数精确比较",
    },
    "rewritten forward equations, to 50 digits": {
        "en": "rewritten forward equations, to 50 digits",
        "zh": "改写过的前向方程，到 50 位数字",
    },
    "adjoint equations, against dual numbers": {
        "en": "adjoint equations, against dual numbers",
        "zh": "伴随方程，与对偶数对照",
    },
    "the whole gradient, against complex steps": {
        "en": "the whole gradient, against complex steps",
        "zh": "整个梯度，与复数步长法对照",
    },
    "checks each": {
        "en": "Every line of the proofs above was evaluated at random points on small "
        "axes: local derivatives were compared with dual numbers, error terms "
        "and gradients with what the objective does when the quantity is moved.",
        "zh": "上文各证明的每一行都在较小的下标范围上、于若干随机点求值："
        "局部导数与对偶数对照，误差项和梯度与移动该量时目标函数的变化对照。",
    },
    "how checked": {"en": "How it was checked", "zh": "检验方式"},
    "checked line by line": {
        "en": "each line of its proof, against what the objective does",
        "zh": "证明逐行与目标函数的变化对照",
    },
    "not exercised": {"en": "not exercised: all zeros", "zh": "未检出：全为零"},
    "checked as repeated": {
        "en": "equal, up to names, to an equation that is shown",
        "zh": "除名称外与已写出的方程相同",
    },
    "checked as part": {
        "en": "with the error term that it is a part of",
        "zh": "随其所属的误差项一起检验",
    },
    "checked as rewritten": {
        "en": "with the declared equations, to 50 digits",
        "zh": "与所声明的方程对照，到 50 位数字",
    },
    "checked as place": {
        "en": "by the error terms that use it",
        "zh": "由使用它的误差项检验",
    },
    "checked as declared": {"en": "as declared", "zh": "即所声明的方程"},
    "matrix": {"en": "In matrix form", "zh": "矩阵形式"},
    "matrix text": {
        "en": "Vectors are columns and written in bold, as matrices are; a slope by a "
        "vector is a column and a slope by a matrix has that matrix's shape "
        "(denominator layout). Functions of a vector, and the circled dot, go entry by "
        "entry. Each form was raised from the equation with indices by an algorithm, "
        "and checked with random numbers on axes of different sizes.",
        "zh": "向量为列向量，与矩阵一样用粗体书写；对向量的导数是列向量，"
        "对矩阵的导数与该矩阵同形（分母布局）。向量的函数以及圆圈点号都逐元素作用。每个矩阵形式都由算法"
        "从带下标的方程提升而来，并在各维大小不同的随机数据上检验。",
    },
    "matrix forward": {"en": "The network as it was declared:", "zh": "所声明的网络："},
    "matrix slopes": {"en": "The local derivatives:", "zh": "局部导数："},
    "matrix errors": {
        "en": "The error terms, and the recursions that they obey:",
        "zh": "误差项及其递推：",
    },
    "matrix gradients": {"en": "The gradients:", "zh": "梯度："},
    "matrix again": {"en": "In matrix form:", "zh": "写成矩阵形式："},
    "general layer": {
        "en": "A general layer",
        "zh": "一般的一层",
    },
    "general text": {
        "en": "The recursion holds at any depth and for any activation. Layer {layer} "
        "of a network of such layers reads the output of layer {before}, and has an "
        "activation {f} of which nothing is assumed but that it has a slope:",
        "zh": "递推对任何深度、任何激活函数都成立。在由这种层组成的网络中，第 {layer} "
        "层读取第 {before} 层的输出，其激活函数 {f} 除可导外没有任何假设：",
    },
    "general proof": {
        "en": "Whatever follows after the next layer is known by that layer's error "
        "term. The chain rule through the next layer, and then through the activation, "
        "gives:",
        "zh": "下一层之后的一切，都由下一层的误差项概括。先经由下一层、再经由激活函数"
        "使用链式法则，得到：",
    },
    "general recursion": {
        "en": "The one put into the other is the recursion that backpropagation is "
        "named after:",
        "zh": "把前者代入后者，就是反向传播由之得名的递推：",
    },
    "general parameters": {
        "en": "With it the slope by the layer's parameters is, for the loss:",
        "zh": "由此得到损失函数对该层参数的偏导数：",
    },
    "general chain rule": {
        "en": "chain rule",
        "zh": "链式法则",
    },
    "general differentiate": {
        "en": "derivative",
        "zh": "求导",
    },
    "general delta collapse": {
        "en": "the brackets leave one summand",
        "zh": "方括号只留下一项",
    },
    "general equation": {
        "en": "as above",
        "zh": "同上",
    },
    "general substitute": {
        "en": "inserted",
        "zh": "代入",
    },
}
