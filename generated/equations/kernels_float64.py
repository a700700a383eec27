"""Value and gradient of equations.

Derived from its equations by symbackprop; each block of code stands
under the numbers and formulas of the equations that it computes.

    value = backward(theta, x, y, gradient, workspace)
    value = forward(theta, x, y, workspace)

theta and gradient hold 283 numbers of float64:

    parameter  shape    from  to
    W1         (8, 13)  0     104
    b1         (8)      104   112
    G2         (8, 8)   112   176
    c2         (8)      176   184
    N2         (8, 8)   184   248
    d2         (8)      248   256
    W3         (3, 8)   256   280
    b3         (3)      280   283

workspace holds 0 + 131 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float64 (batch, 13)
    y: float64 (batch, 3)
"""

import sys
import types

import numpy as np
from numba import njit

# Numba caches the functions under this name, however this file is
# imported.
__name__ = 'equations_kernels_float64_973bb62e7f80'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float64

THETA_SIZE = 283
WORKSPACE_FIXED = 0
WORKSPACE_PER_SAMPLE = 131
lam = real(0.001)


@njit(error_model="numpy")
def logistic(x):
    u1 = np.exp(-np.abs(x))
    return u1 / (real(1.0) + u1) if x < real(0.0) else real(1.0) / (real(1.0) + u1)


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def forward(theta, x, y, workspace):
    """Return the value; compute every tensor."""
    if theta.size != THETA_SIZE:
        raise ValueError("theta must hold 283 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 13):
        raise ValueError("x must have shape (batch, 13)")
    if y.shape != (batch, 3):
        raise ValueError("y must have shape (batch, 3)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")

    # (1)  h1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]
    W1 = theta[0:104].reshape(8, 13)
    b1 = theta[104:112]
    h1 = workspace[0 * batch:8 * batch].reshape(batch, 8)
    np.dot(x, W1.T, h1)
    for n in range(batch):
        for i1 in range(8):
            h1[n, i1] = h1[n, i1] + b1[i1]

    # (2)  g2_sum[i2] = sum(G2[i2, i1]*h1[i1], i1)
    # (3)  g2[i2] = logistic(c2[i2] + g2_sum[i2])
    G2 = theta[112:176].reshape(8, 8)
    g2_sum = workspace[8 * batch:16 * batch].reshape(batch, 8)
    c2 = theta[176:184]
    g2 = workspace[16 * batch:24 * batch].reshape(batch, 8)
    np.dot(h1, G2.T, g2_sum)
    for n in range(batch):
        for i2 in range(8):
            g2[n, i2] = logistic(c2[i2] + g2_sum[n, i2])

    # (4)  n2_sum[i2] = sum(N2[i2, i1]*h1[i1], i1)
    # (5)  n2[i2] = tanh(d2[i2] + n2_sum[i2])
    # (6)  h2[i2] = h1[i2]*(1 - g2[i2]) + g2[i2]*n2[i2]
    N2 = theta[184:248].reshape(8, 8)
    n2_sum = workspace[24 * batch:32 * batch].reshape(batch, 8)
    d2 = theta[248:256]
    n2 = workspace[32 * batch:40 * batch].reshape(batch, 8)
    h2 = workspace[40 * batch:48 * batch].reshape(batch, 8)
    np.dot(h1, N2.T, n2_sum)
    for n in range(batch):
        for i2 in range(8):
            n2[n, i2] = np.tanh(d2[i2] + n2_sum[n, i2])
            h2[n, i2] = (real(1.0) - g2[n, i2]) * h1[n, i2] + g2[n, i2] * n2[n, i2]

    # (7)  z3[k3] = sum(W3[k3, i2]*h2[i2], i2) + b3[k3]
    W3 = theta[256:280].reshape(3, 8)
    b3 = theta[280:283]
    z3 = workspace[48 * batch:51 * batch].reshape(batch, 3)
    np.dot(h2, W3.T, z3)
    for n in range(batch):
        for k3 in range(3):
            z3[n, k3] = z3[n, k3] + b3[k3]

    # (8)  p3_max = max(z3[m3], m3)
    p3_max = workspace[51 * batch:52 * batch]
    for n in range(batch):
        best = real(-np.inf)
        for m3 in range(3):
            value = z3[n, m3]
            if value > best or (value != value and best == best):
                best = value
        p3_max[n] = best

    # (9)  p3_exp[m3] = exp(z3[m3] - p3_max)
    p3_exp = workspace[52 * batch:55 * batch].reshape(batch, 3)
    for n in range(batch):
        for m3 in range(3):
            p3_exp[n, m3] = np.exp(z3[n, m3] - p3_max[n])

    # (10)  p3_sum = sum(p3_exp[m3], m3)
    p3_sum = workspace[55 * batch:56 * batch]
    for n in range(batch):
        total = real(0.0)
        for m3 in range(3):
            total += p3_exp[n, m3]
        p3_sum[n] = total

    # (11)  p3[k3] = p3_exp[k3]/p3_sum
    p3 = workspace[56 * batch:59 * batch].reshape(batch, 3)
    for n in range(batch):
        for k3 in range(3):
            p3[n, k3] = p3_exp[n, k3] / p3_sum[n]

    # (12)  log_p3[k3] = z3[k3] - p3_max - log(p3_sum)
    log_p3 = workspace[59 * batch:62 * batch].reshape(batch, 3)
    for n in range(batch):
        for k3 in range(3):
            log_p3[n, k3] = z3[n, k3] - p3_max[n] - np.log(p3_sum[n])

    # (13)  L = -sum(y[k3]*log_p3[k3], k3)
    # (14)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*G2[i2, i1]**2/2, i2, i1) +
    #     sum(lam*N2[i2, i1]**2/2, i2, i1) + sum(lam*W3[k3, i2]**2/2, k3, i2) + L
    R_sum = real(0.0)
    for i1 in range(8):
        for i0 in range(13):
            R_sum += real(0.5) * W1[i1, i0] * W1[i1, i0] * lam
    for i2 in range(8):
        for i1 in range(8):
            R_sum += real(0.5) * G2[i2, i1] * G2[i2, i1] * lam
    for i2 in range(8):
        for i1 in range(8):
            R_sum += real(0.5) * N2[i2, i1] * N2[i2, i1] * lam
    for k3 in range(3):
        for i2 in range(8):
            R_sum += real(0.5) * W3[k3, i2] * W3[k3, i2] * lam
    L = workspace[62 * batch:63 * batch]
    R = workspace[63 * batch:64 * batch]
    for n in range(batch):
        total = real(0.0)
        for k3 in range(3):
            total += -y[n, k3] * log_p3[n, k3]
        L[n] = total
        R[n] = L[n] + R_sum

    mean = 0.0
    for n in range(batch):
        mean += R[n]
    return mean / batch


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def backward(theta, x, y, gradient, workspace):
    """Return the value; write its gradient."""
    if theta.size != THETA_SIZE:
        raise ValueError("theta must hold 283 numbers")
    if gradient.size != THETA_SIZE:
        raise ValueError("gradient must hold 283 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 13):
        raise ValueError("x must have shape (batch, 13)")
    if y.shape != (batch, 3):
        raise ValueError("y must have shape (batch, 3)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")
    share = real(1.0) / real(batch)

    # (1)  h1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]
    W1 = theta[0:104].reshape(8, 13)
    b1 = theta[104:112]
    h1 = workspace[0 * batch:8 * batch].reshape(batch, 8)
    np.dot(x, W1.T, h1)
    for n in range(batch):
        for i1 in range(8):
            h1[n, i1] = h1[n, i1] + b1[i1]

    # (2)  g2_sum[i2] = sum(G2[i2, i1]*h1[i1], i1)
    # (3)  g2[i2] = logistic(c2[i2] + g2_sum[i2])
    G2 = theta[112:176].reshape(8, 8)
    g2_sum = workspace[8 * batch:16 * batch].reshape(batch, 8)
    c2 = theta[176:184]
    g2 = workspace[16 * batch:24 * batch].reshape(batch, 8)
    np.dot(h1, G2.T, g2_sum)
    for n in range(batch):
        for i2 in range(8):
            g2[n, i2] = logistic(c2[i2] + g2_sum[n, i2])

    # (4)  n2_sum[i2] = sum(N2[i2, i1]*h1[i1], i1)
    # (5)  n2[i2] = tanh(d2[i2] + n2_sum[i2])
    # (6)  h2[i2] = h1[i2]*(1 - g2[i2]) + g2[i2]*n2[i2]
    N2 = theta[184:248].reshape(8, 8)
    n2_sum = workspace[24 * batch:32 * batch].reshape(batch, 8)
    d2 = theta[248:256]
    n2 = workspace[32 * batch:40 * batch].reshape(batch, 8)
    h2 = workspace[40 * batch:48 * batch].reshape(batch, 8)
    np.dot(h1, N2.T, n2_sum)
    for n in range(batch):
        for i2 in range(8):
            n2[n, i2] = np.tanh(d2[i2] + n2_sum[n, i2])
            h2[n, i2] = (real(1.0) - g2[n, i2]) * h1[n, i2] + g2[n, i2] * n2[n, i2]

    # (7)  z3[k3] = sum(W3[k3, i2]*h2[i2], i2) + b3[k3]
    W3 = theta[256:280].reshape(3, 8)
    b3 = theta[280:283]
    z3 = workspace[48 * batch:51 * batch].reshape(batch, 3)
    np.dot(h2, W3.T, z3)
    for n in range(batch):
        for k3 in range(3):
            z3[n, k3] = z3[n, k3] + b3[k3]

    # (8)  p3_max = max(z3[m3], m3)
    p3_max = workspace[51 * batch:52 * batch]
    for n in range(batch):
        best = real(-np.inf)
        for m3 in range(3):
            value = z3[n, m3]
            if value > best or (value != value and best == best):
                best = value
        p3_max[n] = best

    # (9)  p3_exp[m3] = exp(z3[m3] - p3_max)
    p3_exp = workspace[52 * batch:55 * batch].reshape(batch, 3)
    for n in range(batch):
        for m3 in range(3):
            p3_exp[n, m3] = np.exp(z3[n, m3] - p3_max[n])

    # (10)  p3_sum = sum(p3_exp[m3], m3)
    p3_sum = workspace[55 * batch:56 * batch]
    for n in range(batch):
        total = real(0.0)
        for m3 in range(3):
            total += p3_exp[n, m3]
        p3_sum[n] = total

    # (12)  log_p3[k3] = z3[k3] - p3_max - log(p3_sum)
    log_p3 = workspace[59 * batch:62 * batch].reshape(batch, 3)
    for n in range(batch):
        for k3 in range(3):
            log_p3[n, k3] = z3[n, k3] - p3_max[n] - np.log(p3_sum[n])

    # (13)  L = -sum(y[k3]*log_p3[k3], k3)
    # (14)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*G2[i2, i1]**2/2, i2, i1) +
    #     sum(lam*N2[i2, i1]**2/2, i2, i1) + sum(lam*W3[k3, i2]**2/2, k3, i2) + L
    R_sum = real(0.0)
    for i1 in range(8):
        for i0 in range(13):
            R_sum += real(0.5) * W1[i1, i0] * W1[i1, i0] * lam
    for i2 in range(8):
        for i1 in range(8):
            R_sum += real(0.5) * G2[i2, i1] * G2[i2, i1] * lam
    for i2 in range(8):
        for i1 in range(8):
            R_sum += real(0.5) * N2[i2, i1] * N2[i2, i1] * lam
    for k3 in range(3):
        for i2 in range(8):
            R_sum += real(0.5) * W3[k3, i2] * W3[k3, i2] * lam
    L = workspace[62 * batch:63 * batch]
    R = workspace[63 * batch:64 * batch]
    for n in range(batch):
        total = real(0.0)
        for k3 in range(3):
            total += -y[n, k3] * log_p3[n, k3]
        L[n] = total
        R[n] = L[n] + R_sum

    # (15)  delta_L = 1
    delta_L = workspace[64 * batch:65 * batch]
    for n in range(batch):
        delta_L[n] = real(1.0)

    # (16)  delta_log_p3[k3] = -y[k3]*delta_L
    delta_log_p3 = workspace[65 * batch:68 * batch].reshape(batch, 3)
    for n in range(batch):
        for k3 in range(3):
            delta_log_p3[n, k3] = -y[n, k3] * delta_L[n]

    # (17)  delta_p3_sum = -sum(delta_log_p3[k3]/p3_sum, k3)
    delta_p3_sum = workspace[68 * batch:69 * batch]
    for n in range(batch):
        total = real(0.0)
        for k3 in range(3):
            total += -delta_log_p3[n, k3] / p3_sum[n]
        delta_p3_sum[n] = total

    # (18)  delta_p3_exp[m3] = delta_p3_sum
    # (19)  delta_z3[k3] = p3_exp[k3]*delta_p3_exp[k3] + delta_log_p3[k3]
    delta_p3_exp = workspace[69 * batch:72 * batch].reshape(batch, 3)
    delta_z3 = workspace[72 * batch:75 * batch].reshape(batch, 3)
    for n in range(batch):
        for m3 in range(3):
            delta_p3_exp[n, m3] = delta_p3_sum[n]
            delta_z3[n, m3] = p3_exp[n, m3] * delta_p3_exp[n, m3] + delta_log_p3[n, m3]

    # (20)  dW3[k3, i2] = batch_mean(h2[i2]*delta_z3[k3]) + lam*W3[k3, i2]
    dW3 = gradient[256:280].reshape(3, 8)
    np.dot(delta_z3.T, h2, dW3)
    for k3 in range(3):
        for i2 in range(8):
            dW3[k3, i2] = dW3[k3, i2] * share + W3[k3, i2] * lam

    # (21)  db3[k3] = batch_mean(delta_z3[k3])
    db3 = gradient[280:283]
    for k3 in range(3):
        db3[k3] = real(0.0)
    for n in range(batch):
        for k3 in range(3):
            db3[k3] += delta_z3[n, k3]
    for k3 in range(3):
        db3[k3] = db3[k3] * share

    # (22)  delta_h2[i2] = sum(W3[k3, i2]*delta_z3[k3], k3)
    # (23)  delta_n2[i2] = g2[i2]*delta_h2[i2]
    delta_h2 = workspace[75 * batch:83 * batch].reshape(batch, 8)
    delta_n2 = workspace[83 * batch:91 * batch].reshape(batch, 8)
    np.dot(delta_z3, W3, delta_h2)
    for n in range(batch):
        for i2 in range(8):
            delta_n2[n, i2] = g2[n, i2] * delta_h2[n, i2]

    # (24)  dd2[i2] = batch_mean(delta_n2[i2]*(1 - n2[i2]**2))
    dd2 = gradient[248:256]
    for i2 in range(8):
        dd2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(8):
            dd2[i2] += (real(1.0) - n2[n, i2] * n2[n, i2]) * delta_n2[n, i2]
    for i2 in range(8):
        dd2[i2] = dd2[i2] * share

    # (25)  delta_n2_sum[i2] = delta_n2[i2]*(1 - n2[i2]**2)
    delta_n2_sum = workspace[91 * batch:99 * batch].reshape(batch, 8)
    for n in range(batch):
        for i2 in range(8):
            delta_n2_sum[n, i2] = (real(1.0) - n2[n, i2] * n2[n, i2]) * delta_n2[n, i2]

    # (26)  dN2[i2, i1] = batch_mean(h1[i1]*delta_n2_sum[i2]) + lam*N2[i2, i1]
    dN2 = gradient[184:248].reshape(8, 8)
    np.dot(delta_n2_sum.T, h1, dN2)
    for i2 in range(8):
        for i1 in range(8):
            dN2[i2, i1] = dN2[i2, i1] * share + N2[i2, i1] * lam

    # (27)  delta_g2[i2] = delta_h2[i2]*(n2[i2] - h1[i2])
    delta_g2 = workspace[99 * batch:107 * batch].reshape(batch, 8)
    for n in range(batch):
        for i2 in range(8):
            delta_g2[n, i2] = (n2[n, i2] - h1[n, i2]) * delta_h2[n, i2]

    # (28)  dc2[i2] = batch_mean(g2[i2]*delta_g2[i2]*(1 - g2[i2]))
    dc2 = gradient[176:184]
    for i2 in range(8):
        dc2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(8):
            dc2[i2] += (real(1.0) - g2[n, i2]) * g2[n, i2] * delta_g2[n, i2]
    for i2 in range(8):
        dc2[i2] = dc2[i2] * share

    # (29)  delta_g2_sum[i2] = g2[i2]*delta_g2[i2]*(1 - g2[i2])
    delta_g2_sum = workspace[107 * batch:115 * batch].reshape(batch, 8)
    for n in range(batch):
        for i2 in range(8):
            delta_g2_sum[n, i2] = (real(1.0) - g2[n, i2]) * g2[n, i2] * delta_g2[n, i2]

    # (30)  dG2[i2, i1] = batch_mean(h1[i1]*delta_g2_sum[i2]) + lam*G2[i2, i1]
    dG2 = gradient[112:176].reshape(8, 8)
    np.dot(delta_g2_sum.T, h1, dG2)
    for i2 in range(8):
        for i1 in range(8):
            dG2[i2, i1] = dG2[i2, i1] * share + G2[i2, i1] * lam

    # (31)  delta_h1[i1] = sum(G2[i2, i1]*delta_g2_sum[i2], i2) + sum(N2[i2,
    #     i1]*delta_n2_sum[i2], i2) + delta_h2[i1]*(1 - g2[i1])
    delta_h1 = workspace[115 * batch:123 * batch].reshape(batch, 8)
    delta_h1_product = workspace[123 * batch:131 * batch].reshape(batch, 8)
    np.dot(delta_g2_sum, G2, delta_h1)
    np.dot(delta_n2_sum, N2, delta_h1_product)
    for n in range(batch):
        for i1 in range(8):
            delta_h1[n, i1] = delta_h1[n, i1] + delta_h1_product[n, i1] + (real(1.0) - g2[n, i1]) * delta_h2[n, i1]

    # (32)  dW1[i1, i0] = batch_mean(x[i0]*delta_h1[i1]) + lam*W1[i1, i0]
    dW1 = gradient[0:104].reshape(8, 13)
    np.dot(delta_h1.T, x, dW1)
    for i1 in range(8):
        for i0 in range(13):
            dW1[i1, i0] = dW1[i1, i0] * share + W1[i1, i0] * lam

    # (33)  db1[i1] = batch_mean(delta_h1[i1])
    db1 = gradient[104:112]
    for i1 in range(8):
        db1[i1] = real(0.0)
    for n in range(batch):
        for i1 in range(8):
            db1[i1] += delta_h1[n, i1]
    for i1 in range(8):
        db1[i1] = db1[i1] * share

    mean = 0.0
    for n in range(batch):
        mean += R[n]
    return mean / batch
