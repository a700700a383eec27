"""Claims of the corpus whose verdict is not yet the expected one."""

OPEN = {
    ': (x - 0.37)**2 > 0',
    ': cos(x) <= 1',
    ': gelu(x) >= -0.1699',
    ': gelu(x) >= -0.17',
    ': log(x) <= x - 1',
    ': sin(x) <= 0.9999',
    ': sin(x) <= x if x >= 0',
    ': swish(x) >= -0.2784',
    ': swish(x) >= -0.2785',
    ': x*(1 + 1e-60) = x',
    'classifier: 0 < a2[k] < 1',
    'labels: label < 4',
    'maxout: a1[i] >= z1[i, k]',
    'two: abs(delta2[k]) <= abs(a2[k] - y[k])/4',
    'two: delta1[i] < 1',
    'two: nothing = nothing',
    'two: q = nothing @ x',
    'two: x[j] < 1000',
}  # fmt: skip
