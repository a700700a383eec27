"""Claims of the corpus whose verdict is not yet the expected one."""

OPEN = {
    ': cos(x) <= 1',
    ': gelu(x) >= -0.17',
    ': log(x) <= x - 1',
    ': sin(x) <= 0.9999',
    ': sin(x) <= x if x >= 0',
    ': swish(x) >= -0.2785',
    'labels: label < 4',
    'two: abs(delta2[k]) <= abs(a2[k] - y[k])/4',
    'two: nothing = nothing',
    'two: q = nothing @ x',
}  # fmt: skip
