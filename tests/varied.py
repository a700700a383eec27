"""Declarations of networks of every kind, as keyword arguments of `Program`.

What an example of a chapter does not show may still be printed badly; these hold a bit
of everything: strides, padding, recurrences with gates, attention, normalisation,
embeddings, tied weights, equal layers, every activation, no batch at all.
"""

from __future__ import annotations

from typing import Any

Declared = dict[str, Any]


def deep(layers: int) -> Declared:
    """Equal tanh layers, and a readout."""
    rows = ["z1[i] = sum(W1[i, k] * x[k], k) + b1[i]", "a1[i] = tanh(z1[i])"]
    for n in range(2, layers + 1):
        rows.append(f"z{n}[i] = sum(W{n}[i, j] * a{n - 1}[j], j) + b{n}[i]")
        rows.append(f"a{n}[i] = tanh(z{n}[i])")
    rows.append(f"r = sum(v[i] * a{layers}[i], i)")
    rows.append("L = (r - y)**2 / 2")
    return {
        "equations": "\n".join(rows),
        "axes": {"i": 8, "j": 8, "k": 5},
        "parameters": {"W1": "i k", "v": "i"}
        | {f"W{n}": "i j" for n in range(2, layers + 1)}
        | {f"b{n}": "i" for n in range(1, layers + 1)},
        "data": {"x": "k", "y": ""},
        "batched": ("x", "y"),
    }


def all_activations() -> Declared:
    """Every activation of one argument, one after another."""
    names = ["tanh", "logistic", "softplus", "hard_logistic", "hard_tanh"]
    names += ["relu", "swish", "gelu", "erf", "sin"]
    rows, before = [], "x"
    for n, name in enumerate(names, 1):
        rows.append(f"a{n}[i] = {name}(w{n} * {before}[i])")
        before = f"a{n}"
    rows += [
        f"b[i] = leaky_relu({before}[i], 0.1)",
        "c[i] = prelu(b[i], r[i])",
        "d[i] = elu(c[i], 0.5)",
        "e[i] = abs(d[i])",
        "L = sum((e[i] - y[i])**2, i)",
    ]
    return {
        "equations": "\n".join(rows),
        "axes": {"i": 4},
        "parameters": {f"w{n}": "" for n in range(1, len(names) + 1)} | {"r": "i"},
        "data": {"x": "i", "y": "i"},
        "batched": ("x", "y"),
    }


VARIED: dict[str, Declared] = {
    "dense": {
        "equations": """
            z[i] = sum(W[i, j] * x[j], j) + b[i]
            a[i] = tanh(z[i])
            L = sum((a[i] - y[i])**2, i) / 2
        """,
        "axes": {"i": 3, "j": 4},
        "parameters": {"W": "i j", "b": "i"},
        "data": {"x": "j", "y": "i"},
        "batched": ("x", "y"),
    },
    "softmax_with_penalty": {
        "equations": """
            z1[h] = sum(W1[h, j] * x[j], j) + b1[h]
            a1[h] = logistic(z1[h])
            z2[k] = sum(W2[k, h] * a1[h], h) + b2[k]
            p[k] = exp(z2[k]) / sum(exp(z2[c]), c)
            E = -sum(y[k] * log(p[k]), k)
            L = E + lam / 2 * (sum(W1[h, j]**2, h, j) + sum(W2[k, h]**2, k, h))
        """,
        "axes": {"j": 5, "h": 4, "k": 3, "c": 3},
        "parameters": {"W1": "h j", "b1": "h", "W2": "k h", "b2": "k"},
        "data": {"x": "j", "y": "k"},
        "constants": {"lam": 0.01},
        "batched": ("x", "y"),
    },
    "integer_labels": {
        "equations": """
            z[k] = sum(W[k, j] * x[j], j)
            L = log(sum(exp(z[k]), k)) - z[label]
        """,
        "axes": {"j": 6, "k": 4},
        "parameters": {"W": "k j"},
        "data": {"x": "j", "label": ""},
        "integers": ("label",),
        "batched": ("x", "label"),
    },
    "maxout": {
        "equations": """
            z[k, i] = sum(W[k, i, j] * x[j], j) + b[k, i]
            a[i] = max(z[k, i], k)
            L = sum((a[i] - y[i])**2, i)
        """,
        "axes": {"i": 3, "j": 4, "k": 5},
        "parameters": {"W": "k i j", "b": "k i"},
        "data": {"x": "j", "y": "i"},
        "batched": ("x", "y"),
    },
    "prelu": {
        "equations": """
            z[i] = sum(W[i, j] * x[j], j)
            a[i] = maximum(0, z[i]) + r[i] * minimum(0, z[i])
            L = sum(softplus(a[i]) * y[i], i)
        """,
        "axes": {"i": 6, "j": 4},
        "parameters": {"W": "i j", "r": "i"},
        "data": {"x": "j", "y": "i"},
        "batched": ("x", "y"),
    },
    "strided_convolution": {
        "equations": """
            z[o, p, q] = sum(K[o, c, u, v] * x[c, 2*p + u, 2*q + v], c, u, v) + b[o]
            L = sum(tanh(z[o, p, q]) * y[o, p, q], o, p, q)
        """,
        "axes": {"o": 3, "c": 2, "u": 3, "v": 3, "p": 4, "q": 4, "h": 9, "w": 9},
        "parameters": {"K": "o c u v", "b": "o", "x": "c h w"},
        "data": {"y": "o p q"},
    },
    "dilated_convolution": {
        "equations": """
            z[p] = sum(K[u] * x[p + 2*u - 2], u)
            L = sum(z[p]**2 * y[p], p)
        """,
        "axes": {"p": 8, "u": 3},
        "parameters": {"K": "u", "x": "p"},
        "data": {"y": "p"},
        "zero_outside": ("x",),
    },
    "convolution_and_pooling": {
        "equations": """
            z[o, p, q] = sum(K[o, c, u, v] * x[c, p + u - 1, q + v - 1], c, u, v) + b[o]
            a[o, p, q] = relu(z[o, p, q])
            m[o, g, h] = max(a[o, 2*g + s, 2*h + t], s, t)
            s1[k] = sum(W[k, o, g, h] * m[o, g, h], o, g, h)
            L = log(sum(exp(s1[k]), k)) - s1[label]
        """,
        "axes": {
            **{"o": 4, "c": 2, "u": 3, "v": 3, "p": 6, "q": 6},
            **{"g": 3, "h": 3, "s": 2, "t": 2, "k": 5},
        },
        "parameters": {"K": "o c u v", "b": "o", "W": "k o g h"},
        "data": {"x": "c p q", "label": ""},
        "integers": ("label",),
        "batched": ("x", "label"),
        "zero_outside": ("x",),
    },
    "elman": {
        "equations": """
            z[t, i] = sum(U[i, j] * h[t - 1, j], j) + sum(W[i, k] * x[t, k], k) + b[i]
            h[t, i] = tanh(z[t, i])
            L = sum((h[t, i] - y[t, i])**2, t, i) / 2
        """,
        "axes": {"t": 6, "i": 4, "j": 4, "k": 3},
        "parameters": {"U": "i j", "W": "i k", "b": "i"},
        "data": {"x": "t k", "y": "t i"},
        "zero_outside": ("h",),
        "batched": ("x", "y"),
    },
    "gru": {
        "equations": """
            r[t, i] = logistic(sum(R[i, k] * x[t, k], k)
                + sum(S[i, j] * h[t - 1, j], j))
            u[t, i] = logistic(sum(V[i, k] * x[t, k], k)
                + sum(U[i, j] * h[t - 1, j], j))
            c[t, i] = tanh(sum(C[i, k] * x[t, k], k)
                           + sum(D1[i, j] * r[t, j] * h[t - 1, j], j))
            h[t, i] = (1 - u[t, i]) * h[t - 1, i] + u[t, i] * c[t, i]
            L = sum((h[t, i] - y[t, i])**2, t, i) / 2
        """,
        "axes": {"t": 6, "i": 4, "j": 4, "k": 3},
        "parameters": {
            **{"R": "i k", "S": "i j", "V": "i k", "U": "i j"},
            **{"C": "i k", "D1": "i j"},
        },
        "data": {"x": "t k", "y": "t i"},
        "zero_outside": ("h",),
        "batched": ("x", "y"),
    },
    "lstm": {
        "equations": """
            zi[t, i] = (sum(Wi[i, k] * x[t, k], k) + sum(Ui[i, j] * h[t - 1, j], j)
                + bi[i])
            zf[t, i] = (sum(Wf[i, k] * x[t, k], k) + sum(Uf[i, j] * h[t - 1, j], j)
                + bf[i])
            zo[t, i] = (sum(Wo[i, k] * x[t, k], k) + sum(Uo[i, j] * h[t - 1, j], j)
                + bo[i])
            zg[t, i] = (sum(Wg[i, k] * x[t, k], k) + sum(Ug[i, j] * h[t - 1, j], j)
                + bg[i])
            c[t, i] = (logistic(zf[t, i]) * c[t - 1, i]
                + logistic(zi[t, i]) * tanh(zg[t, i]))
            h[t, i] = logistic(zo[t, i]) * tanh(c[t, i])
            r[k] = sum(V[k, i] * h[5, i], i)
            L = sum((r[k] - y[k])**2, k) / 2
        """,
        "axes": {"t": 6, "i": 4, "j": 4, "k": 3},
        "parameters": {"V": "k i"}
        | {f"W{g}": "i k" for g in "ifog"}
        | {f"U{g}": "i j" for g in "ifog"}
        | {f"b{g}": "i" for g in "ifog"},
        "data": {"x": "t k", "y": "k"},
        "zero_outside": ("h", "c"),
        "batched": ("x", "y"),
    },
    "tied_autoencoder": {
        "equations": """
            h[i] = logistic(sum(W[i, j] * x[j], j) + b[i])
            r[j] = sum(W[i, j] * h[i], i) + c[j]
            L = sum((r[j] - x[j])**2, j)
        """,
        "axes": {"i": 3, "j": 6},
        "parameters": {"W": "i j", "b": "i", "c": "j"},
        "data": {"x": "j"},
        "batched": ("x",),
    },
    "matrix_factorisation": {
        "equations": """
            e[n, m] = X[n, m] - sum(A[n, k] * B[m, k], k)
            L = (sum(e[n, m]**2, n, m) / 2
                 + lam * (sum(A[n, k]**2, n, k) + sum(B[m, k]**2, m, k)))
        """,
        "axes": {"n": 7, "m": 5, "k": 2},
        "parameters": {"A": "n k", "B": "m k"},
        "data": {"X": "n m"},
        "constants": {"lam": 0.3},
    },
    "layer_normalisation": {
        "equations": """
            m = mean(x[i], i)
            v = mean((x[i] - m)**2, i)
            n[i] = g[i] * (x[i] - m) / sqrt(v + 1e-5) + s[i]
            L = sum(y[i] * n[i]**3, i)
        """,
        "axes": {"i": 7},
        "parameters": {"x": "i", "g": "i", "s": "i"},
        "data": {"y": "i"},
    },
    "residual_block": {
        "equations": """
            m = mean(x[i], i)
            v = mean((x[i] - m)**2, i)
            n[i] = g[i] * (x[i] - m) / sqrt(v + 1e-5) + s[i]
            z1[h] = sum(W1[h, i] * n[i], i) + b1[h]
            a1[h] = gelu(z1[h])
            z2[i] = sum(W2[i, h] * a1[h], h) + b2[i]
            o[i] = x[i] + z2[i]
            L = sum((o[i] - y[i])**2, i) / 2
        """,
        "axes": {"i": 6, "h": 12},
        "parameters": {
            **{"g": "i", "s": "i", "W1": "h i", "b1": "h"},
            **{"W2": "i h", "b2": "i"},
        },
        "data": {"x": "i", "y": "i"},
        "batched": ("x", "y"),
    },
    "attention": {
        "equations": """
            q[t, d] = sum(Q[d, e] * x[t, e], e)
            k[u, d] = sum(K[d, e] * x[u, e], e)
            v[u, d] = sum(V[d, e] * x[u, e], e)
            s[t, u] = sum(q[t, d] * k[u, d], d) / sqrt(3)
            p[t, u] = exp(s[t, u]) / sum(exp(s[t, w]), w)
            o[t, d] = sum(p[t, u] * v[u, d], u)
            L = sum(o[t, d] * y[t, d], t, d)
        """,
        "axes": {"t": 5, "u": 5, "w": 5, "d": 3, "e": 4},
        "parameters": {"Q": "d e", "K": "d e", "V": "d e"},
        "data": {"x": "t e", "y": "t d"},
        "batched": ("x", "y"),
    },
    "multi_head_attention": {
        "equations": """
            q[h, t, d] = sum(Q[h, d, e] * x[t, e], e)
            k[h, u, d] = sum(K[h, d, e] * x[u, e], e)
            v[h, u, d] = sum(V[h, d, e] * x[u, e], e)
            s[h, t, u] = sum(q[h, t, d] * k[h, u, d], d) / 2
            p[h, t, u] = (where(u <= t, exp(s[h, t, u]), 0)
                          / sum(where(w <= t, exp(s[h, t, w]), 0), w))
            o[h, t, d] = sum(p[h, t, u] * v[h, u, d], u)
            r[t, e] = sum(O[e, h, d] * o[h, t, d], h, d)
            L = sum((r[t, e] - y[t, e])**2, t, e) / 2
        """,
        "axes": {"h": 2, "t": 5, "u": 5, "w": 5, "d": 4, "e": 8},
        "parameters": {"Q": "h d e", "K": "h d e", "V": "h d e", "O": "e h d"},
        "data": {"x": "t e", "y": "t e"},
        "batched": ("x", "y"),
    },
    "graph_convolution": {
        "equations": """
            m[u, j] = sum(A[u, v] * x[v, j], v)
            h[u, i] = relu(sum(W[i, j] * m[u, j], j))
            g[i] = mean(h[u, i], u)
            L = sum((g[i] - y[i])**2, i)
        """,
        "axes": {"u": 6, "v": 6, "i": 3, "j": 4},
        "parameters": {"W": "i j"},
        "data": {"A": "u v", "x": "v j", "y": "i"},
    },
    "wide_layers": {
        "equations": """
            z1[h] = sum(W1[h, j] * x[j], j) + b1[h]
            a1[h] = tanh(z1[h])
            z2[k] = sum(W2[k, h] * a1[h], h) + b2[k]
            L = sum((z2[k] - y[k])**2, k) / 2
        """,
        "axes": {"j": 300, "h": 200, "k": 70},
        "parameters": {"W1": "h j", "b1": "h", "W2": "k h", "b2": "k"},
        "data": {"x": "j", "y": "k"},
        "batched": ("x", "y"),
    },
    "shared_scalars": {
        "equations": """
            r[i] = scale * tanh(sum(A[i, j] * x[j], j)) + shift - y[i]
            L = sum(weight[i] * r[i]**2, i) + ridge * (scale**2 + shift**2)
        """,
        "axes": {"i": 4, "j": 3},
        "parameters": {"scale": "", "shift": "", "unused": "i"},
        "data": {"A": "i j", "weight": "i", "x": "j", "y": "i"},
        "constants": {"ridge": 0.25},
        "batched": ("x", "y"),
    },
    "embedding": {
        "equations": """
            e[t, d] = E[token[t], d]
            m[d] = mean(e[t, d], t)
            L = sum((m[d] - y[d])**2, d)
        """,
        "axes": {"t": 7, "d": 3, "n": 4},
        "parameters": {"E": "n d"},
        "data": {"token": "t", "y": "d"},
        "integers": ("token",),
        "batched": ("token", "y"),
    },
    "binary_cross_entropy": {
        "equations": """
            z1[i] = sum(W1[i, j] * x[j], j) + b1[i]
            a1[i] = tanh(z1[i])
            g[m] = sum(G[m, j] * x[j], j)
            w[m] = exp(g[m]) / sum(exp(g[n]), n)
            e[m] = logistic(sum(V[m, i] * a1[i], i))
            p = sum(w[m] * e[m], m)
            L = -(y * log(p) + (1 - y) * log(1 - p))
        """,
        "axes": {"i": 5, "j": 4, "m": 3, "n": 3},
        "parameters": {"W1": "i j", "b1": "i", "G": "m j", "V": "m i"},
        "data": {"x": "j", "y": ""},
        "batched": ("x", "y"),
    },
    "quadratic_form": {
        "equations": """
            f = sum(x[i] * A[i, j] * x[j], i, j) / 2 - sum(b[i] * x[i], i)
        """,
        "axes": {"i": 4, "j": 4},
        "parameters": {"x": "i"},
        "data": {"A": "i j", "b": "i"},
        "objective": "f",
    },
    "sparse_logistic_regression": {
        "equations": """
            z[k] = sum(W[k, j] * x[j], j) + b[k]
            m = sum(log(1 + exp(z[k])) - where(k == label, z[k], 0), k)
            L = m + lam * sum(abs(W[k, j]), k, j)
        """,
        "axes": {"k": 6, "j": 20},
        "parameters": {"W": "k j", "b": "k"},
        "data": {"x": "j", "label": ""},
        "constants": {"lam": 0.001},
        "integers": ("label",),
        "batched": ("x", "label"),
    },
    "twenty_layers": deep(20),
    "all_activations": all_activations(),
}

for _name, _declared in VARIED.items():
    _declared.setdefault("objective", "L")
    _declared["name"] = _name
