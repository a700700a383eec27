"""Claims about the programs, and what is to be said of each.

A line is `verdicts | claim`: where several verdicts are right, each is named. Below a
true claim stand versions of it that are spoilt in one place. `numerator` among the
verdicts asks for that layout. "misfit" is short for "does not type".
"""

# ruff: noqa: E501 - a claim stands on one line

from __future__ import annotations

from dataclasses import dataclass

KINDS = {
    "holds": "holds",
    "fails": "fails",
    "only-if": "holds only if",
    "misfit": "does not type",
    "definition": "definition",
    "update": "update rule",
    "undecided": "cannot be decided",
    "refused": "refused",  # by an error
}


@dataclass(frozen=True)
class Case:
    """One claim about one program; `""` names no program, for functions alone."""

    program: str
    claim: str
    kinds: frozenset[str]
    layout: str = "denominator"

    def __str__(self) -> str:
        return f"{self.program}: {self.claim}"


TEXT = {
    "two": """
definition | err = a2 - y
definition | err[i] = a2[i] - y[i]
misfit | err = a2 - x
refused | dleta2 = a2 - y
holds | D(L, b2) = pi*delta2/pi
fails | D(L, b2) = pi*delta2
fails | pi = 3
definition | z1[i] = sum(W1[i, j]*x[j], j) + b1[i]
definition | z1[p] = b1[p] + sum(x[q]*W1[p, q], q)
definition | z1 = W1 @ x + b1
fails | z1[i] = sum(W1[i, j]*x[j], j) - b1[i]
fails | z1[i] = sum(W1[i, j]*x[j], j)
misfit | z1[i] = sum(W1[j, i]*x[j], j) + b1[i]
fails misfit | z1[i] = sum(W1[i, j]*x[j], i) + b1[i]
fails | z1[i] = mean(W1[i, j]*x[j], j) + b1[i]
misfit | z1 = W1.T @ x + b1
misfit | z1 = x @ W1 + b1
fails | z1 = W1 @ x
definition | a1[i] = tanh(z1[i])
holds definition | a1[i] = f1(z1[i])
holds | a1[i] = where(-1 < a1[i] < 1, a1[i], 0)
fails | a1[i] = where(0 < a1[i] < 1, a1[i], 0)
holds definition | a1 = f1(z1)
fails | a1[i] = logistic(z1[i])
fails | a1 = f1'(z1)
misfit | a1 = f1(z2)
definition | e[i] = a2[i] - y[i]
definition | e = a2 - y
misfit | e = a2 - x
holds definition | D(L, z1[i]) = delta1[i]
fails | D(L, a1[i]) = delta1[i]
holds | delta2[k] = (a2[k] - y[k])*f2'(z2[k])
holds | delta2[k] = (a2[k] - y[k])*a2[k]*(1 - a2[k])
holds | delta_z2[m] = (a2[m] - y[m])*logistic'(z2[m])
fails | delta2[k] = (y[k] - a2[k])*f2'(z2[k])
fails | delta2[k] = 2*(a2[k] - y[k])*f2'(z2[k])
fails | delta2[k] = a2[k] - y[k]
fails | delta2[k] = (a2[k] - y[k])*f2(z2[k])
fails | delta2[k] = (a2[k] - y[k])*f2'(a2[k])
fails | delta2[k] = (z2[k] - y[k])*f2'(z2[k])
fails | delta2[k] = (a2[k] - y[k])*f1'(z2[k])
fails | delta2[k] = (a2[k] - y[k])*a2[k]*(1 + a2[k])
fails | delta2[k] = (a2[k] - y[k])*z2[k]*(1 - z2[k])
misfit | delta2[k] = (a1[k] - y[k])*f2'(z2[k])
holds | delta1[i] = f1'(z1[i])*sum(W2[k, i]*delta2[k], k)
holds | delta1[i] = (1 - a1[i]**2)*sum(W2[k, i]*delta2[k], k)
holds | delta_z1[m] = tanh'(z1[m])*sum(delta_z2[s]*W2[s, m], s)
holds | delta1[i] = sum(f1'(z1[i])*W2[k, i]*D(L, z2[k]), k)
fails | delta1[i] = f1'(z1[i])*mean(W2[k, i]*delta2[k], k)
fails | delta1[i] = f1(z1[i])*sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = f1'(a1[i])*sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = f2'(z1[i])*sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = (1 - z1[i]**2)*sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = (1 - a1[i])*sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = -f1'(z1[i])*sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = f1'(z1[i])*W2[k, i]*delta2[k]
misfit | delta1[i] = f1'(z1[i])*sum(W2[i, k]*delta2[k], k)
misfit | delta1[i] = f1'(z1[i])*sum(W1[k, i]*delta2[k], k)
misfit | delta1[i] = f1'(z2[i])*sum(W2[k, i]*delta2[k], k)
misfit | delta1[i] = f1'(z1[i])*sum(W2[k, i]*delta1[k], k)
holds | D(L, W2[k, i]) = delta2[k]*a1[i]
holds | D(L, W2[i, j]) = delta2[i]*a1[j]
holds | D(L, W2[i, j]) = a1[j]*D(L, z2[i])
fails | D(L, W2[k, i]) = delta2[k]*z1[i]
fails | D(L, W2[k, i]) = delta2[k]*a1[i]/2
fails | D(L, W2[k, i]) = -delta2[k]*a1[i]
fails | D(L, W2[k, i]) = delta2[k]
fails | D(L, W2[k, i]) = delta2[k]*tanh'(z1[i])
misfit | D(L, W2[k, i]) = delta2[i]*a1[k]
misfit | D(L, W2[k, i]) = delta2[k]*x[i]
misfit | D(L, W2[k, i]) = delta1[k]*a1[i]
misfit | D(L, W1[k, i]) = delta2[k]*a1[i]
holds | D(L, W1[i, j]) = delta1[i]*x[j]
holds | D(L, W1[i, j]) = sum(D(L, a2[k])*D(a2[k], W1[i, j]), k)
holds | D(L, b1[i]) = delta1[i]
fails | D(L, b1[i]) = delta1[i]*a1[i]
misfit | D(L, b1[i]) = delta2[i]
holds | D(L, x[j]) = sum(W1[i, j]*delta1[i], i)
misfit | D(L, x[j]) = sum(W1[j, i]*delta1[i], i)
fails misfit | D(L, x[j]) = sum(W1[i, j]*delta1[i], j)
holds | D(L, y[k]) = y[k] - a2[k]
fails | D(L, y[k]) = a2[k] - y[k]
holds | D(z2[k], a1[i]) = W2[k, i]
misfit | D(z2[k], a1[i]) = W2[i, k]
fails | D(a2[k], a1[i]) = W2[k, i]
holds | D(a2[k], a1[i]) = f2'(z2[k])*W2[k, i]
holds | D(a1[i], z1[m]) = where(i == m, f1'(z1[i]), 0)
fails | D(a1[i], z1[m]) = f1'(z1[i])
holds | D(z1[i], W1[m, j]) = where(i == m, x[j], 0)
fails | D(z1[i], W1[m, j]) = x[j]
holds | D(a2[k], a2[m]) = where(k == m, 1, 0)
holds undecided | D(D(L, a2[k]), a2[m]) = where(k == m, 1, 0)
holds | D(L, W2[0, 1]) = delta2[0]*a1[1]
fails | D(L, W2[0, 1]) = delta2[1]*a1[0]
holds | L >= 0
holds | -1 < a1[i] < 1
fails | 0 < a1[i]
fails | a2[k] > 1/2
holds | D(L, W2) = delta2 @ a1.T
misfit | D(L, W2) = a1 @ delta2.T
misfit | D(L, W2) = delta2.T @ a1
misfit | D(L, W2) = delta2 @ a1
misfit | D(L, W2) = delta1 @ a1.T
misfit | D(L, W2) = delta2 @ x.T
misfit | D(L, W2) = delta2 o a1.T
fails | D(L, W2) = -delta2 @ a1.T
fails | D(L, W2) = 2*delta2 @ a1.T
fails | D(L, W2) = delta2 @ z1.T
holds | D(L, W2) = (a1 @ delta2.T).T
holds | D(L, W2) = (delta2/2) @ a1.T*2
holds numerator | D(L, W2) = a1 @ D(L, z2)
misfit numerator | D(L, W2) = D(L, z2) @ a1.T
misfit numerator | D(L, W2) = D(L, z2).T @ a1.T
holds | delta1 = f1'(z1) o (W2.T @ delta2)
holds | delta1 = f1'(z1) o W2.T @ delta2
holds | delta1 = f1'(z1)*(W2.T @ delta2)
holds | delta1 = (1 - a1 o a1) o (W2.T @ delta2)
holds | delta1 = (1 - a1**2) o (W2.T @ delta2)
holds | delta1 = tanh'(z1) o (W2.T @ delta_z2)
holds | delta1 = diag(f1'(z1)) @ W2.T @ delta2
fails | delta1 = f1(z1) o (W2.T @ delta2)
fails | delta1 = f1'(a1) o (W2.T @ delta2)
fails | delta1 = f2'(z1) o (W2.T @ delta2)
fails | delta1 = f1'(z1) + (W2.T @ delta2)
fails | delta1 = W2.T @ delta2
misfit | delta1 = f1'(z1) o (W2 @ delta2)
misfit | delta1 = f1'(z1) @ (W2.T @ delta2)
misfit | delta1 = f1'(z2) o (W2.T @ delta2)
misfit | delta1 = f1'(z1) o (W1.T @ delta2)
misfit | delta1 = f1'(z1) o (W2.T @ delta1)
holds | delta2 = (a2 - y) o f2'(z2)
holds | delta2 = (a2 - y) o a2 o (1 - a2)
fails | delta2 = (y - a2) o f2'(z2)
fails | delta2 = a2 - y
misfit | delta2 = (a2 - y) @ f2'(z2)
misfit | delta2 = (a2 - y) o f2'(z2).T
holds | D(L, W1) = delta1 @ x.T
holds | D(L, W1) = (f1'(z1) o (W2.T @ ((a2 - y) o f2'(z2)))) @ x.T
misfit | D(L, W1) = f1'(z1) o (W2.T @ delta2) @ x.T
holds | D(L, b1) = delta1
holds | D(L, x) = W1.T @ delta1
misfit | D(L, x) = W1 @ delta1
misfit | D(L, x) = delta1 @ W1
holds | D(z2, a1) = W2.T
misfit | D(z2, a1) = W2
holds numerator | D(z2, a1) = W2
misfit numerator | D(z2, a1) = W2.T
holds | D(a1, z1) = diag(f1'(z1))
holds numerator | D(a1, z1) = diag(f1'(z1))
fails | D(a1, z1) = diag(f1(z1))
misfit | D(a1, z1) = f1'(z1)
holds | D(z2, z1) = diag(f1'(z1)) @ W2.T
holds numerator | D(z2, z1) = W2 @ diag(f1'(z1))
misfit numerator | D(z2, z1) = diag(f1'(z1)) @ W2.T
holds | D(L, a1) = D(z2, a1) @ D(L, z2)
misfit | D(L, a1) = D(L, z2) @ D(z2, a1)
holds numerator | D(L, a1) = D(L, z2) @ D(z2, a1)
misfit numerator | D(L, a1) = D(z2, a1) @ D(L, z2)
holds | D(a1, a1) = I
holds | D(L, x) = D(z1, x) @ D(a1, z1) @ D(z2, a1) @ D(a2, z2) @ D(L, a2)
misfit | D(L, x) = D(a1, z1) @ D(z1, x) @ D(z2, a1) @ D(a2, z2) @ D(L, a2)
holds numerator | D(L, x) = D(L, a2) @ D(a2, z2) @ D(z2, a1) @ D(a1, z1) @ D(z1, x)
update | W1 <- W1 - alpha*D(L, W1)
update | W1[i, j] <- W1[i, j] - alpha*D(L, W1[i, j])
update | b2 <- b2 - 0.1*delta2
misfit | W1 <- W1 - alpha*D(L, W2)
misfit | W1 <- W1 - alpha*delta2 @ a1.T
holds | a1 -> z2 -> a2
holds | x -> z1 -> a1 -> z2 -> a2 -> L
holds | W2 -> z2
fails | a1 -> a2
fails | z2 -> a1
fails | W1 -> z2
fails | x -> z1 -> a2
holds | D(L, W2).T = a1 @ delta2.T
holds | D(L, x).T = delta1.T @ W1
misfit | D(L, x).T = W1.T @ delta1
holds | (W2 @ W1).T = W1.T @ W2.T
misfit | (W2 @ W1).T = W2.T @ W1.T
holds | a1.T @ delta1 = delta1.T @ a1
fails | a1 @ delta1.T = delta1 @ a1.T
holds | diag(a1) @ delta1 = a1 o delta1
holds | diag(a1 o delta1) = diag(a1) @ diag(delta1)
holds | D(a1.T @ a1, a1) = 2*a1
fails | D(a1.T @ a1, a1) = a1
holds | D(W2 @ a1, a1) = W2.T
misfit | D(W2 @ a1, a1) = W2
holds | I @ W2 = W2
holds | W2 o W2 = W2**2
misfit | W2 @ W2 = W2**2
misfit | a1 = a1.T
misfit | D(L, W2) = diag(W2)
holds | exp(z2) = a2/(1 - a2)
holds | log(a2/(1 - a2)) = z2
fails | log(a2/(1 + a2)) = z2
holds definition | a2[k] = 1/(1 + exp(-z2[k]))
fails | a2[k] = 1/(1 - exp(-z2[k]))
holds | sum(delta2[k]*W2[k, i], k) = D(L, a1[i])
holds | mean(x[j], j) = sum(x[j], j)/4
fails | mean(x[j], j) = sum(x[j], j)/3
fails | sum(a1[i]/a1[i], i) = 2
holds | D(L, W2[k, i]) = sum(where(m == k, delta2[m], 0), m)*a1[i]
fails | D(L, W2[k, i]) = delta2[k]*a1[i] + 1e-40
fails | D(L, W2[k, i]) = delta2[k]*a1[i]*(1 + 1e-60)
fails | D(L, b1[i]) = 0
fails | D(L, b1[i]) = D(L, b1[0])
fails | L <= 1
fails | W1[i, j] < 5
fails | x[j] < 1000
fails | a2[k] > 1/4
fails | delta1[i] < 1
holds | 0 < f2'(z2[k]) <= 1/4
fails | 0 < f2'(z2[k]) <= 1/5
holds | abs(delta2[k]) <= abs(a2[k] - y[k])/4
misfit | x*y = y*x
misfit fails | D(x, x) = 1
holds | D(x, x) = I
misfit | x + y = y + x
holds | D(sum(a1[j], j), z1[j]) = f1'(z1[j])
holds | D(sum(z1[i]**2, i), z1[i]) = 2*z1[i]
fails | D(sum(z1[i]**2, i), z1[i]) = z1[i]
fails | D(L, z1[i]) = sum(D(L, a1[i])*D(a1[i], z1[i]), i)
misfit refused | q = W1 @ W1
misfit refused | q = nothing @ x
refused | nothing = nothing
refused | D = 1
refused | I = 1
refused | print(L) = 0
refused | 1 <- 2
refused | W1 + 1 <- W1
refused | tanh(W1) <- W1
""",
    "three": """
holds | delta3[m] = (a3[m] - y[m])*f3'(z3[m])
holds | delta3[m] = (a3[m] - y[m])*(logistic(z3[m]) + z3[m]*logistic'(z3[m]))
fails | delta3[m] = (a3[m] - y[m])*(logistic(z3[m]) + logistic'(z3[m]))
fails | delta3[m] = (a3[m] - y[m])*a3[m]*(1 - a3[m])
holds | delta2[k] = f2'(z2[k])*sum(W3[m, k]*delta3[m], m)
holds | delta2[k] = logistic(z2[k])*sum(W3[m, k]*delta3[m], m)
holds | delta2[k] = (1 - exp(-a2[k]))*sum(W3[m, k]*delta3[m], m)
fails | delta2[k] = logistic(a2[k])*sum(W3[m, k]*delta3[m], m)
fails | delta2[k] = f1'(z2[k])*sum(W3[m, k]*delta3[m], m)
misfit | delta2[k] = f2'(z2[k])*sum(W2[m, k]*delta3[m], m)
misfit | delta2[k] = f2'(z2[k])*sum(W3[m, k]*delta2[m], m)
misfit | delta1[k] = f2'(z2[k])*sum(W3[m, k]*delta3[m], m)
holds | delta1[i] = f1'(z1[i])*sum(W2[k, i]*f2'(z2[k])*sum(W3[m, k]*delta3[m], m), k)
fails | delta1[i] = f1'(z1[i])*sum(W2[k, i]*sum(W3[m, k]*delta3[m], m), k)
misfit | delta1[i] = f1'(z1[i])*sum(W3[k, i]*f2'(z2[k])*sum(W2[m, k]*delta3[m], m), k)
holds | delta1 = f1'(z1) o (W2.T @ (f2'(z2) o (W3.T @ delta3)))
fails | delta1 = f1'(z1) o (W2.T @ (f2(z2) o (W3.T @ delta3)))
fails | delta1 = f1'(z1) o (W2.T @ (W3.T @ delta3))
misfit | delta1 = f1'(z1) o (W3.T @ (f2'(z2) o (W2.T @ delta3)))
misfit | delta1 = f1'(z1) o (W2.T @ (f2'(z1) o (W3.T @ delta3)))
holds | D(L, W3) = delta3 @ a2.T
holds | D(L, W2) = delta2 @ a1.T
holds | D(L, W1) = delta1 @ x.T
misfit | D(L, W2) = delta2 @ a2.T
misfit | D(L, W1) = delta1 @ a1.T
holds | D(L, a1) = W2.T @ delta2
holds | D(L, z2) = D(z3, z2) @ delta3
holds | D(z3, z1) = diag(f1'(z1)) @ W2.T @ diag(f2'(z2)) @ W3.T
holds numerator | D(z3, z1) = W3 @ diag(f2'(z2)) @ W2 @ diag(f1'(z1))
misfit | D(z3, z1) = diag(f2'(z2)) @ W2.T @ diag(f1'(z1)) @ W3.T
fails | D(z3, z1) = diag(f1'(z1)) @ W2.T @ diag(f2(z2)) @ W3.T
holds | D(L, x) = W1.T @ diag(f1'(z1)) @ W2.T @ diag(f2'(z2)) @ W3.T @ delta3
holds | D(z3[m], x[j]) = sum(D(z3[m], a1[i])*D(a1[i], x[j]), i)
fails | D(z3[m], x[j]) = sum(D(z3[m], z1[i])*D(a1[i], x[j]), i)
holds | D(L, b3) = delta3
holds | x -> z1 -> a1 -> z2 -> a2 -> z3 -> a3
fails | a1 -> z3
holds | sum(a1[i]/a1[i], i) = 4
fails | sum(a1[i]/a1[i], i) = 3
fails | sum(x[j]/x[j], j) = 4
holds | mean(x[j], j) = sum(x[j], j)/5
fails | mean(x[j], j) = sum(x[j], j)/4
holds | sum(x[j], j) = x[0] + x[1] + x[2] + x[3] + x[4]
fails | sum(x[j], j) = x[0] + x[1] + x[2] + x[3]
holds | sum(where(j >= 4, x[j], 0), j) = x[4]
fails | sum(where(j >= 3, x[j], 0), j) = x[3]
holds | D(z3[m], x[j]) = D(z3[m], x[j])
""",
    "any": """
holds | delta1 = f1'(z1) o (W2.T @ delta2)
holds | delta1[i] = f1'(z1[i])*sum(W2[k, i]*delta2[k], k)
fails | delta1 = f2'(z1) o (W2.T @ delta2)
fails | delta1 = f1(z1) o (W2.T @ delta2)
misfit | delta1 = f1'(z1) o (W2 @ delta2)
misfit | delta1 = f1'(z1) o (W1.T @ delta2)
misfit | delta1[i] = f1'(z1[i])*sum(W2[i, k]*delta2[k], k)
holds | D(L, W2) = delta2 @ a1.T
misfit | D(L, W2) = a1 @ delta2.T
misfit | D(L, W2) = delta2 @ a2.T
holds | D(L, W1) = delta1 @ x.T
holds | D(L, W1[i, j]) = delta1[i]*x[j]
misfit | D(L, W1[i, j]) = delta1[j]*x[i]
holds | D(L, b2) = delta2
holds | D(z2, a1) = W2.T
holds numerator | D(z2, a1) = W2
holds | D(z2, z1) = diag(f1'(z1)) @ W2.T
fails | D(z2, z1) = diag(f1(z1)) @ W2.T
holds | z1 -> a1 -> z2
fails | z1 -> z2
holds definition | a1 = f1(z1)
definition | z1 = W1 @ x + b1
fails | a1 = f2(z1)
fails misfit | delta2 = a2 - y
update | W1 <- W1 - alpha*D(L, W1)
""",
    "equal": """
holds | delta1 = f1'(z1) o (W2.T @ delta2)
fails | delta1 = f1'(z1) o (W2 @ delta2)
fails | delta1 = f1'(z2) o (W2.T @ delta2)
fails | delta1 = f1'(z1) o (W1.T @ delta2)
fails | delta1 = f1'(z1) o (W2.T @ delta1)
holds fails | delta1 = f2'(z1) o (W2.T @ delta2)
holds | delta1 = f1'(z1) o (W2.T @ ((a2 - y) o (1 - a2**2)))
fails | delta1 = f1'(z1) o (W2.T @ ((a2 - y) o (1 - a1**2)))
holds | delta2[k] = (a2[k] - y[k])*f2'(z2[k])
holds | f2'(z2[k]) = 1 - a2[k]**2
holds definition | f2(z2[k]) = tanh(z2[k])
holds | delta1 = tanh'(z1) o (W2.T @ (f2'(z2) o (a2 - y)))
holds | delta1[i] = f1'(z1[i])*sum(W2[k, i]*delta2[k], k)
fails | delta1[i] = f1'(z1[i])*sum(W2[i, k]*delta2[k], k)
fails | delta1[i] = f1'(z1[i])*sum(W2[k, i]*delta2[i], k)
fails | delta1[i] = sum(f1'(z1[k])*W2[k, i]*delta2[k], k)
holds | D(L, W2) = delta2 @ a1.T
fails | D(L, W2) = a1 @ delta2.T
fails | D(L, W2) = delta2 @ x.T
fails | D(L, W2) = delta1 @ a1.T
fails | D(L, W2) = delta2 @ a2.T
holds numerator | D(L, W2) = a1 @ D(L, z2)
holds | D(L, W2[i, j]) = delta2[i]*a1[j]
fails | D(L, W2[i, j]) = delta2[j]*a1[i]
fails | D(L, W2[j, i]) = delta2[i]*a1[j]
holds | D(L, W2[j, i]) = delta2[j]*a1[i]
holds | D(z2, a1) = W2.T
fails | D(z2, a1) = W2
holds numerator | D(z2, a1) = W2
fails numerator | D(z2, a1) = W2.T
holds | D(L, x) = W1.T @ delta1
fails | D(L, x) = W1 @ delta1
fails | D(L, x) = W2.T @ delta1
holds | D(z2, z1) = diag(f1'(z1)) @ W2.T
fails | D(z2, z1) = W2.T @ diag(f1'(z1))
fails | D(z2, z1) = diag(f1'(z1)) @ W2
holds | D(L, W1[0, 2]) = delta1[0]*x[2]
fails | D(L, W1[0, 2]) = delta1[2]*x[0]
""",
    "classifier": """
holds | delta2[k] = a2[k] - y[k]
holds | delta2 = a2 - y
fails | delta2[k] = y[k] - a2[k]
fails | delta2[k] = a2[k] + y[k]
fails | delta2[k] = (a2[k] - y[k])*a2[k]*(1 - a2[k])
fails | delta2[k] = z2[k] - y[k]
fails | delta2[k] = 2*(a2[k] - y[k])
misfit | delta2[k] = a1[k] - y[k]
holds | delta2[k] = a2[k]*sum(y[m], m) - y[k]
holds | sum(delta2[k], k) = 0
holds | sum(a2[k], k) = 1
fails | mean(a2[k], k) = 1
holds | 0 < a2[k] < 1
holds | D(L, a2[k]) = -y[k]/a2[k]
fails | D(L, a2[k]) = y[k]/a2[k]
fails | D(L, a2[k]) = -log(a2[k])
fails | D(L, a2[k]) = -y[k]*a2[k]
holds | D(a2[k], z2[j]) = a2[k]*(where(k == j, 1, 0) - a2[j])
fails | D(a2[k], z2[j]) = a2[k]*(where(k == j, 1, 0) - a2[k])
fails | D(a2[k], z2[j]) = a2[k]*(1 - a2[k])
fails | D(a2[k], z2[j]) = -a2[k]*a2[j]
holds | D(a2[k], z2[k]) = a2[k]*(1 - a2[k])
holds | D(a2[k], z2[j]) = -a2[k]*a2[j] if k != j
holds | D(a2, z2) = diag(a2) - a2 @ a2.T
fails | D(a2, z2) = diag(a2) + a2 @ a2.T
fails | D(a2, z2) = diag(a2)
misfit | D(a2, z2) = diag(a2) - a2.T @ a2 @ a2
holds | D(R, W2[k, i]) = delta2[k]*a1[i] + lam*W2[k, i]
fails | D(R, W2[k, i]) = delta2[k]*a1[i]
fails | D(R, W2[k, i]) = delta2[k]*a1[i] + 2*lam*W2[k, i]
fails | D(R, W2[k, i]) = delta2[k]*a1[i] + lam/2*W2[k, i]
fails | D(R, W2[k, i]) = delta2[k]*a1[i] - lam*W2[k, i]
misfit | D(R, W2[k, i]) = delta2[k]*a1[i] + lam*W1[k, i]
misfit | D(R, W2[k, i]) = delta2[k]*a1[i] + lam*W2[i, k]
holds | D(L, W2[k, i]) = delta2[k]*a1[i]
fails | D(L, W2[k, i]) = delta2[k]*a1[i] + lam*W2[k, i]
holds | D(R, W1) = delta1 @ x.T + lam*W1
fails | D(R, W1) = delta1 @ x.T
fails | D(R, W1) = delta1 @ x.T + W1
misfit | D(R, W1) = delta1 @ x.T + lam*W2
holds | D(R, b2) = delta2
fails | D(R, b2) = delta2 + lam*b2
holds | delta1 = f1'(z1) o (W2.T @ (a2 - y))
holds | delta1[i] = (1 - a1[i]**2)*sum(W2[k, i]*(a2[k] - y[k]), k)
fails | delta1[i] = (1 - a1[i]**2)*sum(W2[k, i]*(a2[k] + y[k]), k)
definition | R = L + lam/2*(sum(W1[i, j]**2, i, j) + sum(W2[k, i]**2, k, i))
fails | R = L + lam*(sum(W1[i, j]**2, i, j) + sum(W2[k, i]**2, k, i))
fails | R = L + lam/2*sum(W1[i, j]**2, i, j)
definition | L = -sum(y[k]*log(a2[k]), k)
fails | L = sum(y[k]*log(a2[k]), k)
holds | L = log(sum(exp(z2[k]), k)) - sum(y[k]*z2[k], k)
fails | L = log(sum(exp(z2[k]), k)) + sum(y[k]*z2[k], k)
holds | log(a2[k]) = z2[k] - log(sum(exp(z2[m]), m))
fails | log(a2[k]) = z2[k] - log(sum(exp(z2[k]), k))*2
holds | D(log(a2[k]), z2[m]) = where(k == m, 1, 0) - a2[m]
fails | D(log(a2[k]), z2[m]) = where(k == m, 1, 0) - a2[k]
update | W1 <- W1 - alpha*D(R, W1)
update | W1 <- W1 - alpha*(delta1 @ x.T + lam*W1)
holds | z2 -> a2 -> L -> R
fails | a2 -> R
fails | L = -log(sum(y[k]*a2[k], k))
fails | y[k]**2 = y[k]
fails | delta2[k] = a2[k] - where(k == 0, 1, 0)
fails | sum(y[k]*a2[k], k) = 1
holds | sum(D(R, b2[k]), k) = 0
holds | sum(D(a2[k], z2[m]), k) = 0
holds | D(L, z2[m]) = sum(D(L, a2[k])*D(a2[k], z2[m]), k)
fails | D(L, z2[m]) = D(L, a2[m])*D(a2[m], z2[m])
holds | D(L, z2) = D(a2, z2) @ D(L, a2)
holds numerator | D(L, z2) = D(L, a2) @ D(a2, z2)
holds numerator | D(a2, z2) = diag(a2) - a2 @ a2.T
holds | log(a2[k]) = z2[k] - log(sum(exp(z2[k]), k))
misfit refused | f2'(z2) = a2 o (1 - a2)
misfit refused | f2'(z2[k]) = a2[k]*(1 - a2[k])
misfit refused | delta2 = f2'(z2) o (a2 - y)
holds definition | lam = 0.3
fails refused | lam = 0.4
holds | lam > 0
holds | D(R, W1) = D(L, W1) + 0.3*W1
fails | D(R, W1) = D(L, W1) + 0.31*W1
""",
    "classifier_said_otherwise": """
holds | delta_logit[c] = guess[c] - truth[c]
holds | delta_logit[q] = guess[q] - truth[q]
holds | D(total, logit) = guess - truth
fails | delta_logit[c] = truth[c] - guess[c]
fails | delta_logit[c] = guess[c]
holds | D(total, B[c, u]) = delta_logit[c]*hidden[u] + decay*B[c, u]
fails | D(total, B[c, u]) = delta_logit[c]*hidden[u]
fails | D(total, B[c, u]) = delta_logit[c]*state[u] + decay*B[c, u]
misfit | D(total, B[c, u]) = delta_logit[u]*hidden[c] + decay*B[c, u]
holds | D(total, A) = delta_state @ pixel.T + decay*A
fails | D(total, A) = delta_state @ pixel.T
misfit | D(total, A) = pixel @ delta_state.T + decay*A
holds | delta_state = tanh'(state) o (B.T @ delta_logit)
misfit | delta_state = tanh'(state) o (B @ delta_logit)
fails | delta_state = tanh(state) o (B.T @ delta_logit)
holds | D(guess, logit) = diag(guess) - guess @ guess.T
holds | D(cost, guess[c]) = -truth[c]/guess[c]
fails | D(cost, guess[c]) = -guess[c]/truth[c]
""",
    "labels": """
holds | delta_z[k] = p[k] - where(k == label, 1, 0)
holds | delta[k] = p[k] - where(k == label, 1, 0)
fails | delta_z[k] = p[k] + where(k == label, 1, 0)
fails | delta_z[k] = p[k] - 1
fails | delta_z[k] = p[k] - where(k != label, 1, 0)
fails | delta_z[k] = p[k] - p[label]
holds | D(L, z[label]) = p[label] - 1
fails | D(L, z[label]) = p[label]
holds | D(L, W[k, j]) = (p[k] - where(k == label, 1, 0))*x[j]
misfit | D(L, W[k, j]) = (p[j] - where(j == label, 1, 0))*x[k]
holds | L = log(sum(exp(z[k]), k)) - z[label]
fails | L = log(sum(exp(z[k]), k)) - sum(z[k], k)
fails | delta_z[k] = p[k] - where(k == 0, 1, 0)
fails | z[label] = z[0]
holds | z[label] = sum(where(k == label, z[k], 0), k)
definition | L = -log(p[label])
holds | label < 4
fails only-if | label < 2
fails only-if | label < 3
fails only-if | label*label = label
fails only-if | where(label == 2, 1, 0) = 0
holds | label*label = label**2
holds | p[k] < 1
holds | 0 < p[k] <= 1
""",
    "dilated": """
holds | D(L, x[t]) = sum(K[k]*D(L, c[t + 4*k]), k)
fails | D(L, x[t]) = sum(K[k]*D(L, c[t + k]), k)
holds | D(L, K[k]) = sum(delta_c[t]*x[t - 4*k], t)
fails | D(L, K[k]) = sum(delta_c[t]*x[t - 3*k], t)
fails | D(L, K[k]) = sum(delta_c[t]*x[t + 4*k], t)
fails | D(L, K[1]) = 0
holds | D(L, x[t]) = sum(K[k]*delta_c[t + 4*k], k)
fails | D(L, x[t]) = sum(K[k]*delta_c[t - 4*k], k)
fails | D(L, x[t]) = K[0]*delta_c[t]
fails | c[t] = K[0]*x[t] + b
""",
    "capped": """
holds | D(L, z[i]) = where(z[i] > 0 and z[i] < 6, a[i] - y[i], 0)
fails | D(L, z[i]) = where(z[i] > 0, a[i] - y[i], 0)
fails | D(L, z[i]) = where(z[i] > 0 and z[i] < 10, a[i] - y[i], 0)
fails | a[i] = relu(z[i])
holds | a[i] <= 6
fails | a[i] < 6
""",
    "huber": """
holds | D(L, w[j]) = mean(where(abs(r[n]) <= far, r[n], far*sign(r[n]))*X[n, j], n)
fails | D(L, w[j]) = mean(where(abs(r[n]) <= far, r[n], far)*X[n, j], n)
fails | D(L, w[j]) = mean(r[n]*X[n, j], n)
fails | L = mean(r[n]**2, n)/2
""",
    "ridge": """
holds | D(L, w) = (f - y)*x + lam*w
only-if | D(L, w) = (f - y)*x + lam**2*w
only-if | D(L, w) = lam*(f - y)*x + w
fails | D(L, w) = (f - y)*x - lam*w
""",
    "binary": """
holds | delta[k] = a[k] - y[k]
holds | delta = a - y
fails | delta[k] = (a[k] - y[k])*a[k]*(1 - a[k])
fails | delta[k] = y[k] - a[k]
holds | D(L, a[k]) = (a[k] - y[k])/(a[k]*(1 - a[k]))
holds | D(L, a[k]) = -y[k]/a[k] + (1 - y[k])/(1 - a[k])
fails | D(L, a[k]) = -y[k]/a[k]
fails | D(L, a[k]) = -y[k]/a[k] - (1 - y[k])/(1 - a[k])
holds | L = sum(softplus(z[k]) - y[k]*z[k], k)
fails | L = sum(softplus(-z[k]) - y[k]*z[k], k)
holds | D(L, W) = (a - y) @ x.T
misfit | D(L, W) = x @ (a - y).T
""",
    "maxout": """
definition | a1[i] = max(z1[i, k], k)
fails | a1[i] = min(z1[i, k], k)
fails | a1[i] = sum(z1[i, k], k)
misfit fails | a1[i] = max(z1[i, k], i)
holds | delta_a1[i] = sum(W2[m, i]*delta2[m], m)
misfit | delta_a1[i] = sum(W2[i, m]*delta2[m], m)
holds | delta1[i, k] = where(z1[i, k] == a1[i], delta_a1[i], 0)
holds | delta1[i, k] = where(z1[i, k] >= a1[i], delta_a1[i], 0)
fails | delta1[i, k] = where(z1[i, k] < a1[i], delta_a1[i], 0)
fails | delta1[i, k] = delta_a1[i]
fails | delta1[i, k] = delta_a1[i]/2
holds | sum(delta1[i, k], k) = delta_a1[i]
holds | D(L, W1[i, k, j]) = delta1[i, k]*x[j]
misfit | D(L, W1[k, i, j]) = delta1[i, k]*x[j]
fails | D(L, W1[i, k, j]) = delta_a1[i]*x[j]
holds | D(L, b1[i, k]) = delta1[i, k]
holds | delta2[m] = z2[m] - y[m]
fails | delta2[m] = 2*(z2[m] - y[m])
holds | a1[i] >= z1[i, k]
fails | a1[i] > z1[i, k]
""",
    "elman": """
holds | D(L, U[i, j]) = sum(D(L, z[t+1, i])*h[t, j], t)
fails | D(L, U[i, j]) = sum(D(L, z[t+1, i])*h[t+1, j], t)
holds | D(L, W[i, k]) = sum(delta_z[t+1, i]*x[t+1, k], t) + delta_z[0, i]*x[0, k]
fails | D(L, W[i, k]) = sum(delta_z[t+1, i]*x[t+1, k], t)
holds | delta_z[t, i] = delta_h[t, i]*(1 - h[t, i]**2)
holds | delta[t, i] = tanh'(z[t, i])*delta_h[t, i]
fails | delta_z[t, i] = delta_h[t, i]*(1 - z[t, i]**2)
fails | delta_z[t, i] = delta_h[t, i]*tanh(z[t, i])
fails | delta_z[t, i] = delta_h[t, i]*(1 - h[t-1, i]**2)
fails | delta_z[t, i] = delta_h[t+1, i]*(1 - h[t, i]**2)
misfit | delta_z[t, i] = delta_h[i, t]*(1 - h[t, i]**2)
holds | delta_h[t, i] = h[t, i] - y[t, i] + sum(U[j, i]*delta_z[t+1, j], j)
holds | delta_h[t, j] = sum(U[i, j]*delta_z[t + 1, i], i) + h[t, j] - y[t, j]
holds | delta_h[s, m] = h[s, m] - y[s, m] + sum(U[n, m]*delta_z[1 + s, n], n)
fails | delta_h[t, i] = h[t, i] - y[t, i] + sum(U[i, j]*delta_z[t+1, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i] + sum(U[j, i]*delta_z[t-1, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i] + sum(U[j, i]*delta_z[t, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i] + sum(U[j, i]*delta_h[t+1, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i] - sum(U[j, i]*delta_z[t+1, j], j)
fails | delta_h[t, i] = y[t, i] - h[t, i] + sum(U[j, i]*delta_z[t+1, j], j)
fails | delta_h[t, i] = sum(U[j, i]*delta_z[t+1, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i]
misfit | delta_h[t, i] = h[t, i] - y[t, i] + sum(W[j, i]*delta_z[t+1, j], j)
holds | D(L, U[i, j]) = sum(delta_z[t, i]*h[t-1, j], t)
holds | D(L, U[i, j]) = sum(delta_z[t+1, i]*h[t, j], t)
fails | D(L, U[i, j]) = sum(delta_z[t, i]*h[t, j], t)
fails | D(L, U[i, j]) = sum(delta_z[t, i]*h[t+1, j], t)
fails | D(L, U[i, j]) = sum(delta_z[t-1, i]*h[t, j], t)
fails | D(L, U[i, j]) = sum(delta_z[t, j]*h[t-1, i], t)
fails | D(L, U[i, j]) = mean(delta_z[t, i]*h[t-1, j], t)
fails | D(L, U[i, j]) = sum(delta_h[t, i]*h[t-1, j], t)
fails | D(L, U[i, j]) = delta_z[3, i]*h[2, j]
holds | D(L, W[i, k]) = sum(delta_z[t, i]*x[t, k], t)
fails | D(L, W[i, k]) = mean(delta_z[t, i]*x[t, k], t)
fails misfit | D(L, W[i, k]) = sum(delta_z[t, i]*x[t, k], i)
misfit | D(L, W[i, k]) = sum(delta_z[t, k]*x[t, i], t)
misfit fails | D(L, W[i, k]) = sum(delta_z[t, i]*x[t-1, k], t)
holds | D(L, b[i]) = sum(delta_z[t, i], t)
fails | D(L, b[i]) = mean(delta_z[t, i], t)
fails | D(L, b[i]) = delta_z[t, i]
holds | D(L, h[3, i]) = h[3, i] - y[3, i]
holds | delta_h[3, i] = h[3, i] - y[3, i]
fails | D(L, h[0, i]) = h[0, i] - y[0, i]
holds | D(z[2, i], h[1, j]) = U[i, j]
fails | D(z[2, i], h[1, j]) = U[j, i]
fails | D(z[2, i], h[0, j]) = U[i, j]
holds | D(z[2, i], h[0, j]) = sum(U[i, m]*tanh'(z[1, m])*U[m, j], m)
holds | D(h[t, i], z[t, j]) = where(i == j, 1 - h[t, i]**2, 0)
holds | D(L, x[t, k]) = sum(W[i, k]*delta_z[t, i], i)
definition | z[t, i] = sum(U[i, j]*h[t-1, j], j) + sum(W[i, k]*x[t, k], k) + b[i]
fails | z[t, i] = sum(U[i, j]*h[t, j], j) + sum(W[i, k]*x[t, k], k) + b[i]
fails | z[t, i] = sum(U[i, j]*h[t+1, j], j) + sum(W[i, k]*x[t, k], k) + b[i]
holds | h -> z -> h -> L
""",
    "elman_last": """
holds | delta_h[t, i] = where(t == 3, h[t, i] - y[i], 0) + sum(U[j, i]*delta_z[t+1, j], j)
fails | delta_h[t, i] = h[t, i] - y[i] + sum(U[j, i]*delta_z[t+1, j], j)
fails | delta_h[t, i] = where(t == 2, h[t, i] - y[i], 0) + sum(U[j, i]*delta_z[t+1, j], j)
holds | delta_h[t, i] = sum(U[j, i]*delta_z[t+1, j], j) if t < 3
fails only-if | delta_h[t, i] = sum(U[j, i]*delta_z[t+1, j], j)
fails | delta_h[t, i] = sum(U[i, j]*delta_z[t+1, j], j) if t < 3
holds | delta_h[3, i] = h[3, i] - y[i]
fails | delta_h[2, i] = h[2, i] - y[i]
holds | delta_h[2, i] = sum(U[j, i]*(1 - h[3, j]**2)*(h[3, j] - y[j]), j)
fails | delta_h[2, i] = sum(U[i, j]*(1 - h[3, j]**2)*(h[3, j] - y[j]), j)
holds | D(L, U[i, j]) = sum(delta_z[t, i]*h[t-1, j], t)
fails | D(L, U[i, j]) = delta_z[3, i]*h[2, j]
holds | D(L, x[3, k]) = sum(W[i, k]*delta_z[3, i], i)
""",
    "gated": """
holds | delta_h[t, i] = h[t, i] - y[t, i] + (1 - u[t+1, i])*delta_h[t+1, i] + sum(U[j, i]*delta_q[t+1, j], j)
holds | delta_h[t, i] = h[t, i] - y[t, i] + (1 - u[t+1, i])*delta_h[t+1, i] + sum(U[j, i]*delta_q[t+1, j], j) if t < 3
fails | delta_h[t, i] = h[t, i] - y[t, i] + (1 - u[t, i])*delta_h[t+1, i] + sum(U[j, i]*delta_q[t+1, j], j)
holds | c[t, i]*delta_c[t+1, i] = c[t, i]*u[t+1, i]*delta_h[t+1, i]
fails | c[t, i]*delta_c[t+1, i] = c[t, i]*u[t, i]*delta_h[t+1, i]
misfit | c[t, i] = c[9, i]
misfit fails | c[t, i] = c[2*t, i]
holds | delta_u[t, i] = delta_h[t, i]*(c[t, i] - h[t-1, i])
fails | delta_u[t, i] = delta_h[t, i]*(h[t-1, i] - c[t, i])
fails | delta_u[t, i] = delta_h[t, i]*(c[t, i] - h[t, i])
fails | delta_u[t, i] = delta_h[t, i]*(c[t, i] + h[t-1, i])
fails | delta_u[t, i] = delta_h[t, i]*c[t, i]
holds | delta_q[t, i] = delta_u[t, i]*u[t, i]*(1 - u[t, i])
fails | delta_q[t, i] = delta_u[t, i]*(1 - u[t, i]**2)
holds | delta_s[t, i] = delta_h[t, i]*u[t, i]*(1 - c[t, i]**2)
fails | delta_s[t, i] = delta_h[t, i]*(1 - u[t, i])*(1 - c[t, i]**2)
holds | delta_h[t, i] = h[t, i] - y[t, i] + delta_h[t+1, i]*(1 - u[t+1, i]) + sum(U[j, i]*delta_q[t+1, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i] + delta_h[t+1, i]*(1 - u[t, i]) + sum(U[j, i]*delta_q[t+1, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i] + sum(U[j, i]*delta_q[t+1, j], j)
fails | delta_h[t, i] = h[t, i] - y[t, i] + delta_h[t+1, i]*(1 - u[t+1, i])
fails | delta_h[t, i] = h[t, i] - y[t, i] + delta_h[t+1, i]*u[t+1, i] + sum(U[j, i]*delta_q[t+1, j], j)
holds | D(L, U[i, j]) = sum(delta_q[t, i]*h[t-1, j], t)
fails | D(L, U[i, j]) = sum(delta_q[t, i]*h[t, j], t)
holds | D(L, C[i, k]) = sum(delta_s[t, i]*x[t, k], t)
misfit | D(L, C[i, k]) = sum(delta_s[t, i]*x[i, k], t)
""",
    "padded": """
holds | D(L, K[u]) = sum(delta_z[p]*x[p + u - 1], p)
fails | D(L, K[u]) = sum(delta_z[p]*x[p - u + 1], p)
fails | D(L, K[u]) = sum(delta_z[p]*x[p + u], p)
fails | D(L, K[u]) = sum(delta_z[p]*x[p + 1 - u], p)
fails misfit | D(L, K[u]) = sum(delta_z[p + u - 1]*x[p], u)
holds | D(L, K[u]) = sum(delta_z[p - u + 1]*x[p], p)
holds | D(L, x[q]) = sum(K[u]*delta_z[q - u + 1], u)
fails | D(L, x[q]) = sum(K[u]*delta_z[q + u - 1], u)
fails | D(L, x[q]) = sum(K[u]*delta_z[q - u], u)
fails misfit | D(L, x[q]) = sum(K[2 - u]*delta_z[q - u + 1], u)
holds misfit | D(L, x[q]) = sum(K[2 - u]*delta_z[q + u - 1], u)
holds | D(L, b) = sum(delta[p], p)
fails | D(L, b) = mean(delta[p], p)
fails | D(L, b) = delta[p]
holds | delta[p] = (a[p] - y[p])*(1 - a[p]**2)
holds | D(z[1], x[0]) = K[0]
fails | D(z[1], x[0]) = K[1]
""",
    "strided": """
holds | delta_z[p] = logistic(z[p])*y[p]
fails | delta_z[p] = softplus(z[p])*y[p]
holds | D(L, K[u]) = sum(delta_z[p]*x[2*p + u], p)
fails | D(L, K[u]) = sum(delta_z[p]*x[p + u], p)
fails | D(L, K[u]) = sum(delta_z[p]*x[2*p], p)
fails misfit | D(L, K[u]) = sum(delta_z[p]*x[2*p - u], p)
holds | D(L, x[q]) = sum(where(q == 2*p + u, K[u]*delta_z[p], 0), p, u)
fails | D(L, x[q]) = sum(where(q == p + u, K[u]*delta_z[p], 0), p, u)
fails | D(L, x[q]) = sum(where(q == 2*p + u, K[u]*z[p], 0), p, u)
holds | D(L, x[2*p + u]) = K[u]*delta_z[p]
fails | D(L, x[2*p]) = K[1]*delta_z[p]
holds | D(L, x[2*p]) = K[0]*delta_z[p]
""",
    "plane": """
holds | D(L, K[o, u, v]) = sum(delta_z[o, p, q]*x[p + u, q + v], p, q)
fails | D(L, K[o, u, v]) = sum(delta_z[o, p, q]*x[q + v, p + u], p, q)
fails | D(L, K[o, u, v]) = mean(delta_z[o, p, q]*x[p + u, q + v], p, q)
fails misfit | D(L, K[o, u, v]) = sum(delta_z[o, q, p]*x[p + u, q + v], p, q)
holds | D(L, K[i, j, k]) = sum(delta_z[i, m, n]*x[m + j, n + k], m, n)
holds | D(L, x[r, s]) = sum(K[o, u, v]*delta_z[o, r - u, s - v], o, u, v)
fails | D(L, x[r, s]) = sum(K[o, u, v]*delta_z[o, r + u, s + v], o, u, v)
fails | D(L, x[r, s]) = sum(K[o, u, v]*delta_z[o, r - u, s - v], u, v)
fails | D(L, x[r, s]) = sum(K[o, v, u]*delta_z[o, r - u, s - v], o, u, v)
holds | D(L, b[o]) = sum(delta_z[o, p, q], p, q)
fails | D(L, b[o]) = mean(delta_z[o, p, q], p, q)
fails | D(L, b[o]) = sum(delta_z[o, p, q], p)
holds | delta_z[o, p, q] = z[o, p, q] - y[o, p, q]
""",
    "embedding": """
holds | delta_m[d] = 2*(m[d] - y[d])
fails | delta_m[d] = m[d] - y[d]
holds | delta_e[t, d] = delta_m[d]/4
fails | delta_e[t, d] = delta_m[d]
holds | D(L, E[n, d]) = sum(where(token[t] == n, delta_e[t, d], 0), t)
fails | D(L, E[n, d]) = sum(where(token[t] != n, delta_e[t, d], 0), t)
fails | D(L, E[n, d]) = sum(where(token[t] == n + 1, delta_e[t, d], 0), t)
fails | D(L, E[n, d]) = sum(delta_e[t, d], t)
fails misfit | D(L, E[n, d]) = where(token[t] == n, delta_e[t, d], 0)
holds | D(L, E[n, d]) = (m[d] - y[d])/2*sum(where(token[t] == n, 1, 0), t)
holds | D(e[t, d], E[token[t], d]) = 1
fails | D(L, E[token[t], d]) = delta_e[t, d]
definition | e[t, d] = E[token[t], d]
misfit | e[t, d] = E[d, token[t]]
definition | m[d] = mean(e[t, d], t)
fails | m[d] = sum(e[t, d], t)
holds definition | m[d] = sum(e[t, d], t)/4
""",
    "residual": """
holds | D(L, x[j]) = delta_o[j] + sum(W[i, j]*delta[i], i)
fails | D(L, x[j]) = sum(W[i, j]*delta[i], i)
fails | D(L, x[j]) = delta_o[j]
fails | D(L, x[j]) = delta_o[j] + sum(W[j, i]*delta[i], i)
fails | D(L, x[j]) = delta_o[j] - sum(W[i, j]*delta[i], i)
holds | D(L, x) = delta_o + W.T @ delta
fails | D(L, x) = delta_o + W @ delta
holds | D(L, x) = (I + W.T @ diag(f'(z))) @ delta_o
fails | D(L, x) = (I - W.T @ diag(f'(z))) @ delta_o
fails | D(L, x) = (I + diag(f'(z)) @ W) @ delta_o
holds | D(o, x) = I + W.T @ diag(f'(z))
holds numerator | D(o, x) = I + diag(f'(z)) @ W
fails numerator | D(o, x) = I + W.T @ diag(f'(z))
fails | D(o, x) = W.T @ diag(f'(z))
holds | delta = f'(z) o delta_o
holds | delta[i] = (1 - a[i]**2)*(o[i] - y[i])
fails | delta[i] = (1 - o[i]**2)*(o[i] - y[i])
holds | D(L, W) = delta @ x.T
fails | D(L, W) = x @ delta.T
""",
    "layer_normalisation": """
holds | delta_o[i] = o[i] - y[i]
holds | D(L, g[i]) = delta_o[i]*n[i]
fails | D(L, g[i]) = delta_o[i]*x[i]
holds | D(L, s[i]) = delta_o[i]
holds | delta_n[i] = g[i]*delta_o[i]
holds | delta_m = -sum(delta_n[i], i)/sqrt(v + 0.1)
fails | delta_m = -mean(delta_n[i], i)/sqrt(v + 0.1)
fails | delta_m = sum(delta_n[i], i)/sqrt(v + 0.1)
holds | delta_v = -sum(delta_n[i]*(x[i] - m), i)/(2*(v + 0.1)*sqrt(v + 0.1))
fails | delta_v = -sum(delta_n[i]*(x[i] - m), i)/(2*sqrt(v + 0.1))
fails | delta_v = -sum(delta_n[i]*x[i], i)/(2*(v + 0.1)*sqrt(v + 0.1))
holds | D(L, x[i]) = (delta_n[i] - mean(delta_n[j], j) - n[i]*mean(delta_n[j]*n[j], j))/sqrt(v + 0.1)
fails | D(L, x[i]) = (delta_n[i] - sum(delta_n[j], j) - n[i]*mean(delta_n[j]*n[j], j))/sqrt(v + 0.1)
fails | D(L, x[i]) = (delta_n[i] - mean(delta_n[j], j) - n[i]*sum(delta_n[j]*n[j], j))/sqrt(v + 0.1)
fails | D(L, x[i]) = (delta_n[i] - mean(delta_n[j], j) + n[i]*mean(delta_n[j]*n[j], j))/sqrt(v + 0.1)
fails | D(L, x[i]) = (delta_n[i] - n[i]*mean(delta_n[j]*n[j], j))/sqrt(v + 0.1)
fails | D(L, x[i]) = (delta_n[i] - mean(delta_n[j], j) - mean(n[j]*delta_n[j]*n[j], j))/sqrt(v + 0.1)
fails | D(L, x[i]) = (delta_n[i] - mean(delta_n[j], j) - n[i]*mean(delta_n[j]*n[j], j))/(v + 0.1)
fails | D(L, x[i]) = delta_n[i]/sqrt(v + 0.1)
holds | D(m, x[i]) = 1/4
fails | D(m, x[i]) = 1
holds | D(v, x[i]) = 2*(x[i] - m)/4
fails | D(v, x[i]) = 2*x[i]/4
holds | sum(D(L, x[i]), i) = 0
holds | mean(n[i], i) = 0
holds | mean(n[i]**2, i) = v/(v + 0.1)
fails | mean(n[i]**2, i) = 1
""",
    "long_normalisation": """
holds | mean(n[i], i) = 0
holds | sum(D(L, x[i]), i) = 0
holds | D(L, x[i]) = (delta_n[i] - mean(delta_n[j], j) - n[i]*mean(delta_n[j]*n[j], j))/sqrt(v + 0.1)
fails | D(L, x[i]) = (delta_n[i] - mean(delta_n[j], j) + n[i]*mean(delta_n[j]*n[j], j))/sqrt(v + 0.1)
holds | delta_m = -sum(delta_n[i], i)/sqrt(v + 0.1)
holds | D(m, x[i]) = 1/40
fails | D(m, x[i]) = 1/3
holds | D(v, x[i]) = 2*(x[i] - m)/40
fails | D(v, x[i]) = 2*(x[i] - m)/3
holds | sum(x[i]/x[i], i) = 40
fails | sum(x[i]/x[i], i) = 3
fails | sum(x[i]/x[i], i) = 4
holds | mean(x[i], i) = sum(x[i], i)/40
fails | mean(x[i], i) = sum(x[i], i)/4
holds | sum(where(i < 38, x[i], 0), i) = sum(x[i], i) - x[38] - x[39]
fails | sum(where(i < 37, x[i], 0), i) = sum(x[i], i) - x[38] - x[39]
fails | x[39] = x[3]
""",
    "batch_normalisation": """
holds | delta_z[n, i] = (delta_u[n, i] - mean(delta_u[k, i], k) - u[n, i]*mean(delta_u[k, i]*u[k, i], k))/sqrt(v[i] + 0.1)
fails | delta_z[n, i] = (delta_u[n, i] - mean(delta_u[n, k], k) - u[n, i]*mean(delta_u[k, i]*u[k, i], k))/sqrt(v[i] + 0.1)
fails | delta_z[n, i] = (delta_u[n, i] - mean(delta_u[k, i], k) - u[n, i]*sum(delta_u[k, i]*u[k, i], k))/sqrt(v[i] + 0.1)
misfit | delta_z[n, i] = (delta_u[n, i] - mean(delta_u[i, k], k) - u[n, i]*mean(delta_u[k, i]*u[k, i], k))/sqrt(v[i] + 0.1)
misfit | delta_z[n, i] = (delta_u[n, i] - mean(delta_u[k, i], k) - u[n, i]*mean(delta_u[k, i]*u[k, i], k))/sqrt(v[n] + 0.1)
holds | D(L, W[i, j]) = sum(delta_z[n, i]*x[n, j], n)
fails | D(L, W[i, j]) = mean(delta_z[n, i]*x[n, j], n)
holds | D(L, g[i]) = sum((g[i]*u[n, i] - y[n, i])*u[n, i], n)
fails misfit | D(L, g[i]) = sum((g[i]*u[n, i] - y[n, i])*u[n, i], i)
holds | D(L, W) = delta.T @ x
misfit | D(L, W) = delta @ x.T
misfit | D(L, W) = x.T @ delta
holds | delta_v[i] = -sum(delta_u[n, i]*u[n, i], n)/(2*(v[i] + 0.1))
fails | delta_v[i] = -sum(delta_u[n, i]*u[n, i], n)/(v[i] + 0.1)
""",
    "tied": """
holds | delta_r[j] = 2*(r[j] - x[j])
fails | delta_r[j] = r[j] - x[j]
holds | delta_h[i] = sum(W[i, j]*delta_r[j], j)
misfit | delta_h[i] = sum(W[j, i]*delta_r[j], j)
holds | D(L, W[i, j]) = delta_h[i]*h[i]*(1 - h[i])*x[j] + h[i]*delta_r[j]
fails | D(L, W[i, j]) = delta_h[i]*h[i]*(1 - h[i])*x[j]
fails | D(L, W[i, j]) = h[i]*delta_r[j]
fails | D(L, W[i, j]) = delta_h[i]*h[i]*(1 - h[i])*x[j] - h[i]*delta_r[j]
fails | D(L, W[i, j]) = delta_h[i]*(1 - h[i]**2)*x[j] + h[i]*delta_r[j]
misfit | D(L, W[i, j]) = delta_h[j]*h[i]*(1 - h[i])*x[j] + h[i]*delta_r[j]
holds | D(L, W) = (delta_h o h o (1 - h)) @ x.T + h @ delta_r.T
fails | D(L, W) = (delta_h o h o (1 - h)) @ x.T
misfit | D(L, W) = (delta_h o h o (1 - h)) @ x.T + delta_r @ h.T
holds | D(L, x[j]) = sum(W[i, j]*delta_h[i]*h[i]*(1 - h[i]), i) - delta_r[j]
fails | D(L, x[j]) = sum(W[i, j]*delta_h[i]*h[i]*(1 - h[i]), i)
holds | D(L, c) = delta_r
""",
    "": """
refused | logistci(x) = 1/(1 + exp(-x))
holds | D(erf(x), x) = 2/sqrt(pi)*exp(-x**2)
fails | D(erf(x), x) = 2/pi*exp(-x**2)
holds | sin(x + pi/2) = cos(x)
fails | sin(x + pi) = sin(x)
fails | pi*x = 3.14159265*x
fails | pi = 3
fails | pi = 22/7
refused | D(pi*x, pi) = x
holds | where(0 < x < 1, x, 0) = where(x > 0, where(x < 1, x, 0), 0)
fails | where(0 < x <= 1, x, 0) = where(x > 0, where(x < 1, x, 0), 0)
holds | p*abs(1 - p) = p*(1 - p) if 0 < p < 1
fails only-if | p*abs(1 - p) = p*(1 - p) if 0 < p < 2
holds | tanh(x) = 2*logistic(2*x) - 1
fails | tanh(x) = 2*logistic(x) - 1
fails | tanh(x) = 2*logistic(2*x) + 1
fails | tanh(x) = 1 - 2*logistic(2*x)
holds | D(softplus(x), x) = logistic(x)
holds | softplus'(x) = logistic(x)
fails | softplus'(x) = logistic(-x)
holds | logistic'(u) = logistic(u)*(1 - logistic(u))
fails | logistic'(u) = logistic(u)*(1 + logistic(u))
fails | logistic'(u) = u*(1 - u)
fails | logistic'(u) = logistic(u)*logistic'(u)
holds | tanh'(x) = 1 - tanh(x)**2
fails | tanh'(x) = 1 - tanh(x)
fails | tanh'(x) = 1 + tanh(x)**2
fails | tanh'(x) = 1 - x**2
holds | 1 - logistic(x) = logistic(-x)
fails | 1 - logistic(x) = -logistic(x)
holds | softplus(x) - softplus(-x) = x
holds | D(exp(x)**2, x) = 2*exp(2*x)
holds | log1p(expm1(x)) = x
holds | swish'(x) = logistic(x) + x*logistic(x)*(1 - logistic(x))
fails | swish'(x) = logistic(x)*(1 - logistic(x))
fails | swish'(x) = logistic(x) + logistic(x)*(1 - logistic(x))
holds | D(x*logistic(b*x), x) = logistic(b*x) + b*x*logistic(b*x)*(1 - logistic(b*x))
fails | D(x*logistic(b*x), x) = logistic(b*x) + x*logistic(b*x)*(1 - logistic(b*x))
holds | D(x*logistic(b*x), b) = x**2*logistic'(b*x)
holds | erf(x) + erfc(x) = 1
holds | gelu(x) = x/2*(1 + erf(x/sqrt(2)))
fails | gelu(x) = x/2*(1 + erf(x))
holds | gelu(x) - gelu(-x) = x
holds | relu(x) = maximum(0, x)
holds | relu(x) = (x + abs(x))/2
fails | relu(x) = (x - abs(x))/2
holds | leaky_relu(x, r) = maximum(x, r*x) if r < 1
holds | leaky_relu(x, r) = maximum(x, r*x) if r <= 1
only-if | leaky_relu(x, r) = maximum(x, r*x)
fails only-if | leaky_relu(x, r) = maximum(x, r*x) if r < 2
holds | leaky_relu(x, r) = minimum(x, r*x) if r >= 1
holds | prelu(x, r) = relu(x) - r*relu(-x)
fails | prelu(x, r) = relu(x) + r*relu(-x)
holds | hard_tanh(x) = maximum(-1, minimum(1, x))
fails only-if | hard_tanh(x) = maximum(-1, minimum(0, x))
holds | hard_logistic(x) = (1 + hard_tanh(x/2))/2
fails | hard_logistic(x) = (1 + hard_tanh(x))/2
holds | elu(x, r) = where(x > 0, x, r*(exp(x) - 1))
fails | elu(x, r) = where(x > 0, x, r*exp(x))
holds | elu(x) = where(x > 0, x, expm1(x))
holds | D(elu(x, r), x) = where(x > 0, 1, elu(x, r) + r)
fails | D(elu(x, r), x) = where(x > 0, 1, elu(x, r) - r)
holds | D(abs(x), x) = sign(x)
holds | D(relu(x), x) = where(x > 0, 1, 0)
fails | D(relu(x), x) = where(x < 0, 1, 0)
fails | D(relu(x), x) = relu(x)
only-if fails | D(relu(x), x) = 1
only-if fails | sqrt(x**2) = x
holds | sqrt(x**2) = abs(x)
holds | log(x*y) = log(x) + log(y) if x > 0 and y > 0
holds | D(log(x), x) = 1/x
holds | D(x**3, x) = 3*x**2
fails | D(x**3, x) = 3*x**3
fails | D(x**3, x) = x**2
holds | D(x*y, x) = y
fails | D(x*y, x) = x
holds undecided | D(D(tanh(x), x), x) = -2*tanh(x)*tanh'(x)
fails undecided | D(D(tanh(x), x), x) = 2*tanh(x)*tanh'(x)
holds | sin(x)**2 + cos(x)**2 = 1
fails | sin(x)**2 - cos(x)**2 = 1
holds | D(sin(x), x) = cos(x)
fails | D(cos(x), x) = sin(x)
holds | 0 < logistic(x) < 1
holds | -1 < tanh(x) < 1
fails only-if | 0 < tanh(x) < 1
holds | logistic'(x) <= 1/4
fails | logistic'(x) < 1/4
fails | logistic'(x) <= 1/5
holds | softplus(x) > relu(x)
holds | softplus(x) > x
fails | softplus(x) < x
holds | 0 < tanh'(x) <= 1
holds | abs(tanh(x)) <= abs(x)
fails | abs(softplus(x)) <= abs(x)
holds | exp(x) >= 1 + x
fails | exp(x) > 1 + x
holds | x**2 >= 0
fails | x**2 > 0
holds | cos(x) <= 1
fails | cos(x) < 1
holds only-if | log(x) <= x - 1
fails | log(x) < x - 1
holds | sin(x) <= x if x >= 0
fails only-if | sin(x) <= x
holds | logistic(x) >= 1/2 if x >= 0
fails only-if | logistic(x) >= 1/2
fails | exp(x) = 1 + x + x**2/2 + x**3/6
fails | x + 1e-40 = x
fails | x*(1 + 1e-60) = x
fails | tanh(x) = x
fails only-if | tanh(x) = x if abs(x) < 1/1000
holds | maximum(a, b) = a if a >= b
fails | maximum(a, b) = b if a >= b
holds | maximum(a, b) = (a + b + abs(a - b))/2
fails | maximum(a, b) = (a + b - abs(a - b))/2
holds | maximum(x, y) + minimum(x, y) = x + y
holds | minimum(a, b) <= a
fails only-if | maximum(a, b) <= a
holds | log(x**2) = 2*log(abs(x))
fails only-if | log(x**2) = 2*log(x)
holds | x**2 = 1 if x == 1
fails only-if undecided | x**2 = 2 if x == 17
fails only-if undecided | logistic(x) = 1 if x > 1000
fails only-if | tanh(x) = 1 if x > 40
holds | tanh(x) = 1 - 2/(exp(2*x) + 1) if x > 40
fails | logistic(x**2 + 200) = 1
fails only-if | log(1 + exp(x)) = exp(x) if x < -200
fails | tanh(300*x) = sign(x) if abs(x) > 1
holds | tanh(10*x) < 1
holds | -1 < tanh(x*y + b) < 1
holds | softplus(10*x) > 10*x
holds | D(-y*log(p) - (1 - y)*log(1 - p), p) = (p - y)/(p*(1 - p))
only-if | logistic(log(p/(1 - p))) = p
only-if | leaky_relu(x, r) = maximum(x, r*x) if r > 0
holds | x**2 = 0.1369 if x == 0.37
holds | x + y = 1 if x == 0.37 and y == 0.63
holds | D(log(x), x) = 1/x if x > 100
fails only-if | D(log(x), x) = 1/x + 1/1000 if x > 100
holds | D(log(x), x)*x = 1
fails only-if | (x - 0.37)**2 = abs(x - 0.37)**2 + where(x == 0.37, 1, 0)
undecided holds | relu(x) = 5 if x > x
holds | D(maximum(a, b), a) = where(a >= b, 1, 0)
fails | D(maximum(a, b), a) = where(a >= b, 0, 1)
holds | D(x**n, x) = n*x**n/x if x > 0 and n > 0
holds | D(logistic(w*x + b), w) = x*logistic'(w*x + b)
fails | D(logistic(w*x + b), w) = w*logistic'(w*x + b)
fails | D(logistic(w*x + b), w) = logistic'(w*x + b)
holds | D(-(y*log(p) + (1 - y)*log(1 - p)), p) = (p - y)/(p*(1 - p)) if p > 0 and p < 1
fails | D(-(y*log(p) + (1 - y)*log(1 - p)), p) = (p - y)/(p*(1 + p)) if p > 0 and p < 1
holds | D((a - y)**2/2, a) = a - y
fails | D((a - y)**2, a) = a - y
holds | D(sqrt(x), x) = 1/(2*sqrt(x)) if x > 0
holds | D(erf(x), x) = 2*D(erf(x), x)/2
holds | gelu'(x) = D(gelu(x), x)
holds | elu'(x, r) = where(x > 0, 1, r*exp(x))
fails | elu'(x, r) = where(x > 0, 1, exp(x))
holds | hard_tanh'(x) = where(x > -1 and x < 1, 1, 0)
fails | hard_tanh'(x) = where(x > -1 and x < 1, 1/2, 0)
fails only-if | sign(x) = 1
holds | sign(x)*abs(x) = x
fails only-if | x < 11
fails only-if | x**2 <= 101
fails only-if | exp(x) < 30000
fails only-if | softplus(x) < 20
fails only-if | logistic(x) > 1e-5
fails | x + y + z < 100
fails | sin(x) <= 0.9999
fails | gelu(x) >= -0.1699
holds | gelu(x) >= -0.17
fails | swish(x) >= -0.2784
holds | swish(x) >= -0.2785
fails | (x - 0.37)**2 > 0
holds | 2 + 2 = 4
fails | 2 + 2 = 5
fails | 1 < 0
""",
}
# Refuted at one point alone, or far out: numbers at random points do not find it.
BEYOND_NUMBERS = (
    "logistic'(x) < 1/4",
    "exp(x) > 1 + x",
    "x**2 > 0",
    "cos(x) < 1",
    "log(x) < x - 1",
    "x**2 = 2 if x == 17",
    "logistic(x) = 1 if x > 1000",
    "tanh(x) = x if abs(x) < 1/1000",
    "x + 1e-40 = x",
    "where(0 < x <= 1, x, 0) = where(x > 0, where(x < 1, x, 0), 0)",
    "label < 3",
    "logistic(log(p/(1 - p))) = p",
    "D(L, z[i]) = where(z[i] > 0, a[i] - y[i], 0)",
    "D(L, z[i]) = where(z[i] > 0 and z[i] < 10, a[i] - y[i], 0)",
    "a[i] = relu(z[i])",
    "a[i] < 6",
    "D(L, w[j]) = mean(where(abs(r[n]) <= far, r[n], far)*X[n, j], n)",
    "D(L, w[j]) = mean(r[n]*X[n, j], n)",
    "L = mean(r[n]**2, n)/2",
    "D(L, w) = (f - y)*x + lam**2*w",
    "D(L, w) = lam*(f - y)*x + w",
    "logistic(x**2 + 200) = 1",
    "log(1 + exp(x)) = exp(x) if x < -200",
    "tanh(300*x) = sign(x) if abs(x) > 1",
    "D(-y*log(p) - (1 - y)*log(1 - p), p) = (p - y)/(p*(1 - p))",
    "where(label == 2, 1, 0) = 0",
    "tanh(x) = 1 if x > 40",
    "D(log(x), x) = 1/x + 1/1000 if x > 100",
    "(x - 0.37)**2 = abs(x - 0.37)**2 + where(x == 0.37, 1, 0)",
    "x*(1 + 1e-60) = x",
    "D(L, W2[k, i]) = delta2[k]*a1[i] + 1e-40",
    *("L <= 1", "W1[i, j] < 5", "x[j] < 1000", "a2[k] > 1/4", "delta1[i] < 1"),
    *("x < 11", "x**2 <= 101", "exp(x) < 30000", "softplus(x) < 20"),
    *("logistic(x) > 1e-5", "x + y + z < 100", "sin(x) <= 0.9999"),
    *("gelu(x) >= -0.1699", "swish(x) >= -0.2784", "(x - 0.37)**2 > 0"),
    "D(L, W2[k, i]) = delta2[k]*a1[i]*(1 + 1e-60)",
)


def cases() -> list[Case]:
    """All claims, with their verdicts."""
    made = []
    for program, text in TEXT.items():
        for line in text.strip().splitlines():
            verdicts, claim = line.split(" | ", 1)
            words = verdicts.split()
            layout = "numerator" if "numerator" in words else "denominator"
            kinds = frozenset(KINDS[word] for word in words if word in KINDS)
            made.append(Case(program, claim, kinds, layout))
    return made


CASES = cases()
