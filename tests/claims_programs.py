"""Small programs about which claims are made, no two axes of one of equal size.

But for `equal`, where a transposed matrix has the same shape.
"""

from __future__ import annotations

from typing import Any

import symbackprop as sb

Declared = dict[str, Any]

NETWORKS: dict[str, sb.Network] = {
    "two": sb.Network(
        4, [sb.Dense(3, "tanh"), sb.Dense(2, "logistic")], "squared_error", name="two"
    ),
    "three": sb.Network(
        5,
        [sb.Dense(4, "tanh"), sb.Dense(3, "softplus"), sb.Dense(2, "swish")],
        "squared_error",
        name="three",
    ),
    "equal": sb.Network(
        3, [sb.Dense(3, "tanh"), sb.Dense(3, "tanh")], "squared_error", name="equal"
    ),
    "classifier": sb.Network(
        4,
        [sb.Dense(3, "tanh"), sb.Dense(5, "softmax")],
        "cross_entropy",
        sb.Frobenius(0.3),
        name="classifier",
    ),
    "maxout": sb.Network(
        5, [sb.Maxout(3, 2), sb.Dense(4)], "squared_error", name="maxout"
    ),
}

TEXTS: dict[str, Declared] = {
    "classifier_said_otherwise": {
        "equations": """
            state[u] = sum(A[u, f] * pixel[f], f) + shift[u]
            hidden[u] = tanh(state[u])
            logit[c] = sum(B[c, u] * hidden[u], u)
            guess[c] = exp(logit[c]) / sum(exp(logit[g]), g)
            cost = -sum(truth[c] * log(guess[c]), c)
            total = cost + decay/2 * (sum(A[u, f]**2, u, f) + sum(B[c, u]**2, c, u))
        """,
        "axes": {"f": 4, "u": 3, "c": 5, "g": 5},
        "parameters": {"A": "u f", "shift": "u", "B": "c u"},
        "data": {"pixel": "f", "truth": "c"},
        "constants": {"decay": 0.3},
        "batched": ("pixel", "truth"),
        "objective": "total",
    },
    "labels": {
        "equations": """
            z[k] = sum(W[k, j] * x[j], j) + b[k]
            p[k] = exp(z[k]) / sum(exp(z[c]), c)
            L = -log(p[label])
        """,
        "axes": {"k": 4, "c": 4, "j": 3},
        "parameters": {"W": "k j", "b": "k"},
        "data": {"x": "j", "label": ""},
        "integers": ("label",),
        "batched": ("x", "label"),
    },
    "dilated": {
        "equations": """
            c[t] = sum(K[k] * x[t - 4*k], k) + b
            h[t] = tanh(c[t])
            L = sum((h[t] - y[t])**2, t) / 2
        """,
        "axes": {"t": 14, "k": 3},
        "parameters": {"K": "k", "b": ""},
        "data": {"x": "t", "y": "t"},
        "zero_outside": ("x",),
        "batched": ("x", "y"),
    },
    "capped": {
        "equations": """
            z[i] = sum(W[i, j] * x[j], j) + b[i]
            a[i] = minimum(maximum(z[i], 0), 6)
            L = sum((a[i] - y[i])**2, i) / 2
        """,
        "axes": {"i": 2, "j": 3},
        "parameters": {"W": "i j", "b": "i"},
        "data": {"x": "j", "y": "i"},
        "batched": ("x", "y"),
    },
    "huber": {
        "equations": """
            r[n] = sum(X[n, j] * w[j], j) - y[n]
            h[n] = where(abs(r[n]) <= far, r[n]**2/2, far*(abs(r[n]) - far/2))
            L = mean(h[n], n)
        """,
        "axes": {"n": 4, "j": 2},
        "parameters": {"w": "j"},
        "data": {"X": "n j", "y": "n"},
        "constants": {"far": 3},
    },
    "ridge": {
        "equations": """
            f = sum(w[j] * x[j], j)
            L = (f - y)**2/2 + lam/2*sum(w[j]**2, j)
        """,
        "axes": {"j": 3},
        "parameters": {"w": "j"},
        "data": {"x": "j", "y": ""},
        "constants": {"lam": 1},
        "batched": ("x", "y"),
    },
    "binary": {
        "equations": """
            z[k] = sum(W[k, j] * x[j], j) + b[k]
            a[k] = logistic(z[k])
            L = -sum(y[k]*log(a[k]) + (1 - y[k])*log(1 - a[k]), k)
        """,
        "axes": {"k": 4, "j": 3},
        "parameters": {"W": "k j", "b": "k"},
        "data": {"x": "j", "y": "k"},
        "batched": ("x", "y"),
    },
    "elman": {
        "equations": """
            z[t, i] = sum(U[i, j] * h[t - 1, j], j) + sum(W[i, k] * x[t, k], k) + b[i]
            h[t, i] = tanh(z[t, i])
            L = sum((h[t, i] - y[t, i])**2, t, i) / 2
        """,
        "axes": {"t": 4, "i": 3, "j": 3, "k": 2},
        "parameters": {"U": "i j", "W": "i k", "b": "i"},
        "data": {"x": "t k", "y": "t i"},
        "zero_outside": ("h",),
        "batched": ("x", "y"),
    },
    "elman_last": {
        "equations": """
            z[t, i] = sum(U[i, j] * h[t - 1, j], j) + sum(W[i, k] * x[t, k], k) + b[i]
            h[t, i] = tanh(z[t, i])
            L = sum((h[3, i] - y[i])**2, i) / 2
        """,
        "axes": {"t": 4, "i": 3, "j": 3, "k": 2},
        "parameters": {"U": "i j", "W": "i k", "b": "i"},
        "data": {"x": "t k", "y": "i"},
        "zero_outside": ("h",),
        "batched": ("x", "y"),
    },
    "gated": {
        "equations": """
            q[t, i] = sum(U[i, j] * h[t - 1, j], j) + sum(V[i, k] * x[t, k], k)
            u[t, i] = logistic(q[t, i])
            s[t, i] = sum(C[i, k] * x[t, k], k)
            c[t, i] = tanh(s[t, i])
            h[t, i] = (1 - u[t, i]) * h[t - 1, i] + u[t, i] * c[t, i]
            L = sum((h[t, i] - y[t, i])**2, t, i) / 2
        """,
        "axes": {"t": 4, "i": 3, "j": 3, "k": 2},
        "parameters": {"U": "i j", "V": "i k", "C": "i k"},
        "data": {"x": "t k", "y": "t i"},
        "zero_outside": ("h", "u"),
        "batched": ("x", "y"),
    },
    "padded": {
        "equations": """
            z[p] = sum(K[u] * x[p + u - 1], u) + b
            a[p] = tanh(z[p])
            L = sum((a[p] - y[p])**2, p) / 2
        """,
        "axes": {"p": 5, "u": 3},
        "parameters": {"K": "u", "b": ""},
        "data": {"x": "p", "y": "p"},
        "zero_outside": ("x",),
        "batched": ("x", "y"),
    },
    "strided": {
        "equations": """
            z[p] = sum(K[u] * x[2*p + u], u)
            L = sum(softplus(z[p]) * y[p], p)
        """,
        "axes": {"p": 3, "u": 2, "q": 6},
        "parameters": {"K": "u"},
        "data": {"x": "q", "y": "p"},
        "batched": ("x", "y"),
    },
    "plane": {
        "equations": """
            z[o, p, q] = sum(K[o, u, v] * x[p + u, q + v], u, v) + b[o]
            L = sum((z[o, p, q] - y[o, p, q])**2, o, p, q) / 2
        """,
        "axes": {"o": 2, "u": 2, "v": 3, "p": 3, "q": 2, "r": 4, "s": 4},
        "parameters": {"K": "o u v", "b": "o"},
        "data": {"x": "r s", "y": "o p q"},
        "batched": ("x", "y"),
    },
    "embedding": {
        "equations": """
            e[t, d] = E[token[t], d]
            m[d] = mean(e[t, d], t)
            L = sum((m[d] - y[d])**2, d)
        """,
        "axes": {"t": 4, "d": 3, "n": 5},
        "parameters": {"E": "n d"},
        "data": {"token": "t", "y": "d"},
        "integers": ("token",),
        "batched": ("token", "y"),
    },
    "residual": {
        "equations": """
            z[i] = sum(W[i, j] * x[j], j) + b[i]
            a[i] = tanh(z[i])
            o[i] = x[i] + a[i]
            L = sum((o[i] - y[i])**2, i) / 2
        """,
        "axes": {"i": 3, "j": 3},
        "parameters": {"W": "i j", "b": "i"},
        "data": {"x": "i", "y": "i"},
        "batched": ("x", "y"),
    },
    "layer_normalisation": {
        "equations": """
            m = mean(x[i], i)
            v = mean((x[i] - m)**2, i)
            n[i] = (x[i] - m) / sqrt(v + 0.1)
            o[i] = g[i] * n[i] + s[i]
            L = sum((o[i] - y[i])**2, i) / 2
        """,
        "axes": {"i": 4},
        "parameters": {"x": "i", "g": "i", "s": "i"},
        "data": {"y": "i"},
    },
    "batch_normalisation": {
        "equations": """
            z[n, i] = sum(W[i, j] * x[n, j], j)
            m[i] = mean(z[n, i], n)
            v[i] = mean((z[n, i] - m[i])**2, n)
            u[n, i] = (z[n, i] - m[i]) / sqrt(v[i] + 0.1)
            L = sum((g[i] * u[n, i] - y[n, i])**2, n, i) / 2
        """,
        "axes": {"n": 4, "i": 3, "j": 2},
        "parameters": {"W": "i j", "g": "i"},
        "data": {"x": "n j", "y": "n i"},
    },
    "tied": {
        "equations": """
            h[i] = logistic(sum(W[i, j] * x[j], j) + b[i])
            r[j] = sum(W[i, j] * h[i], i) + c[j]
            L = sum((r[j] - x[j])**2, j)
        """,
        "axes": {"i": 2, "j": 3},
        "parameters": {"W": "i j", "b": "i", "c": "j"},
        "data": {"x": "j"},
        "batched": ("x",),
    },
}
TEXTS["long_normalisation"] = {**TEXTS["layer_normalisation"], "axes": {"i": 40}}
for _name, _declared in TEXTS.items():
    _declared.setdefault("objective", "L")
    _declared["name"] = _name

# The targets of a cross-entropy are distributions.
SIMPLEX = {"classifier": ("y",), "classifier_said_otherwise": ("truth",)}


def declaration(program: sb.Program) -> Declared:
    """A program as keyword arguments again."""
    return {
        "equations": program.text,
        "axes": {a.name: a.size for a in program.axes.values()},
        "parameters": {t.name: " ".join(t.axes) for t in program.parameters},
        "data": {t.name: " ".join(t.axes) for t in program.data},
        "constants": {c.name: float(c.value) for c in program.constants.values()},
        "integers": tuple(t.name for t in program.data if t.integer),
        "batched": tuple(t.name for t in program.data if t.batched),
        "zero_outside": tuple(n for n, t in program.tensors.items() if t.zero_outside),
        "objective": program.objective,
        "name": program.name,
    }


DECLARED: dict[str, Declared] = {
    **{name: declaration(network.program) for name, network in NETWORKS.items()},
    **TEXTS,
}
DECLARED["any"] = DECLARED["three"]  # stands for a claim that comes without a program
