"""Other libraries, each loaded only where it is installed.

A peer's module offers `gradient(problem)` and `epoch(problem)` where it can do them:
each gives contestants by name; `UnavailableError` says why one cannot take part.
"""

# What a peer is called, and its module.
PEERS = {
    "PyTorch": "pytorch",
    "JAX": "xla",
    "CasADi": "casadi_c",
    "scikit-learn": "scikit",
    "products": "products",
}
