"""Value and gradient of digits.

Derived from its equations by symbackprop; each block of code stands
under the numbers and formulas of the equations that it computes.

    value = backward(theta, x, y, gradient, workspace)
    value = forward(theta, x, y, workspace)

theta and gradient hold 2410 numbers of float32:

    parameter  shape     from  to
    W1         (32, 64)  0     2048
    b1         (32)      2048  2080
    W2         (10, 32)  2080  2400
    b2         (10)      2400  2410

workspace holds 0 + 204 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float32 (batch, 64)
    y: float32 (batch, 10)
"""

import sys
import types

import numpy as np
from numba import njit

# Numba caches the functions under this name, however this file is
# imported.
__name__ = 'digits_kernels_float32_52817d84c80c'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float32

THETA_SIZE = 2410
WORKSPACE_FIXED = 0
WORKSPACE_PER_SAMPLE = 204
lam = real(0.0001)


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def forward(theta, x, y, workspace):
    """Return the value; compute every tensor."""
    if theta.size != THETA_SIZE:
        raise ValueError("theta must hold 2410 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 64):
        raise ValueError("x must have shape (batch, 64)")
    if y.shape != (batch, 10):
        raise ValueError("y must have shape (batch, 10)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")

    # (1)  z1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]
    # (2)  a1[i1] = tanh(z1[i1])
    W1 = theta[0:2048].reshape(32, 64)
    b1 = theta[2048:2080]
    z1 = workspace[0 * batch:32 * batch].reshape(batch, 32)
    a1 = workspace[32 * batch:64 * batch].reshape(batch, 32)
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(32):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = np.tanh(z1[n, i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    W2 = theta[2080:2400].reshape(10, 32)
    b2 = theta[2400:2410]
    z2 = workspace[64 * batch:74 * batch].reshape(batch, 10)
    np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

    # (4)  a2_max = max(z2[k2], k2)
    a2_max = workspace[74 * batch:75 * batch]
    for n in range(batch):
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            if value > best or (value != value and best == best):
                best = value
        a2_max[n] = best

    # (5)  a2_exp[k2] = exp(z2[k2] - a2_max)
    a2_exp = workspace[75 * batch:85 * batch].reshape(batch, 10)
    for n in range(batch):
        for k2 in range(10):
            a2_exp[n, k2] = np.exp(z2[n, k2] - a2_max[n])

    # (6)  a2_sum = sum(a2_exp[k2], k2)
    a2_sum = workspace[85 * batch:86 * batch]
    for n in range(batch):
        total = real(0.0)
        for k2 in range(10):
            total += a2_exp[n, k2]
        a2_sum[n] = total

    # (7)  a2[i2] = a2_exp[i2]/a2_sum
    a2 = workspace[86 * batch:96 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            a2[n, i2] = a2_exp[n, i2] / a2_sum[n]

    # (8)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
    log_a2 = workspace[96 * batch:106 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            log_a2[n, i2] = z2[n, i2] - a2_max[n] - np.log(a2_sum[n])

    # (9)  L = -sum(y[i2]*log_a2[i2], i2)
    # (10)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
    R_sum = real(0.0)
    for i1 in range(32):
        for i0 in range(64):
            R_sum += real(0.5) * W1[i1, i0] * W1[i1, i0] * lam
    for i2 in range(10):
        for i1 in range(32):
            R_sum += real(0.5) * W2[i2, i1] * W2[i2, i1] * lam
    L = workspace[106 * batch:107 * batch]
    R = workspace[107 * batch:108 * batch]
    for n in range(batch):
        total = real(0.0)
        for i2 in range(10):
            total += -y[n, i2] * log_a2[n, i2]
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
        raise ValueError("theta must hold 2410 numbers")
    if gradient.size != THETA_SIZE:
        raise ValueError("gradient must hold 2410 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 64):
        raise ValueError("x must have shape (batch, 64)")
    if y.shape != (batch, 10):
        raise ValueError("y must have shape (batch, 10)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")
    share = real(1.0) / real(batch)

    # (1)  z1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]
    # (2)  a1[i1] = tanh(z1[i1])
    W1 = theta[0:2048].reshape(32, 64)
    b1 = theta[2048:2080]
    z1 = workspace[0 * batch:32 * batch].reshape(batch, 32)
    a1 = workspace[32 * batch:64 * batch].reshape(batch, 32)
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(32):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = np.tanh(z1[n, i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    W2 = theta[2080:2400].reshape(10, 32)
    b2 = theta[2400:2410]
    z2 = workspace[64 * batch:74 * batch].reshape(batch, 10)
    np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

    # (4)  a2_max = max(z2[k2], k2)
    a2_max = workspace[74 * batch:75 * batch]
    for n in range(batch):
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            if value > best or (value != value and best == best):
                best = value
        a2_max[n] = best

    # (5)  a2_exp[k2] = exp(z2[k2] - a2_max)
    a2_exp = workspace[75 * batch:85 * batch].reshape(batch, 10)
    for n in range(batch):
        for k2 in range(10):
            a2_exp[n, k2] = np.exp(z2[n, k2] - a2_max[n])

    # (6)  a2_sum = sum(a2_exp[k2], k2)
    a2_sum = workspace[85 * batch:86 * batch]
    for n in range(batch):
        total = real(0.0)
        for k2 in range(10):
            total += a2_exp[n, k2]
        a2_sum[n] = total

    # (8)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
    log_a2 = workspace[96 * batch:106 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            log_a2[n, i2] = z2[n, i2] - a2_max[n] - np.log(a2_sum[n])

    # (9)  L = -sum(y[i2]*log_a2[i2], i2)
    # (10)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
    R_sum = real(0.0)
    for i1 in range(32):
        for i0 in range(64):
            R_sum += real(0.5) * W1[i1, i0] * W1[i1, i0] * lam
    for i2 in range(10):
        for i1 in range(32):
            R_sum += real(0.5) * W2[i2, i1] * W2[i2, i1] * lam
    L = workspace[106 * batch:107 * batch]
    R = workspace[107 * batch:108 * batch]
    for n in range(batch):
        total = real(0.0)
        for i2 in range(10):
            total += -y[n, i2] * log_a2[n, i2]
        L[n] = total
        R[n] = L[n] + R_sum

    # (11)  delta_L = 1
    delta_L = workspace[108 * batch:109 * batch]
    for n in range(batch):
        delta_L[n] = real(1.0)

    # (12)  delta_log_a2[i2] = -y[i2]*delta_L
    delta_log_a2 = workspace[109 * batch:119 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            delta_log_a2[n, i2] = -y[n, i2] * delta_L[n]

    # (13)  delta_a2_sum = -sum(delta_log_a2[i2]/a2_sum, i2)
    delta_a2_sum = workspace[119 * batch:120 * batch]
    for n in range(batch):
        total = real(0.0)
        for i2 in range(10):
            total += -delta_log_a2[n, i2] / a2_sum[n]
        delta_a2_sum[n] = total

    # (14)  delta_a2_exp[k2] = delta_a2_sum
    # (15)  delta_z2[i2] = a2_exp[i2]*delta_a2_exp[i2] + delta_log_a2[i2]
    delta_a2_exp = workspace[120 * batch:130 * batch].reshape(batch, 10)
    delta_z2 = workspace[130 * batch:140 * batch].reshape(batch, 10)
    for n in range(batch):
        for k2 in range(10):
            delta_a2_exp[n, k2] = delta_a2_sum[n]
            delta_z2[n, k2] = a2_exp[n, k2] * delta_a2_exp[n, k2] + delta_log_a2[n, k2]

    # (16)  dW2[i2, i1] = batch_mean(a1[i1]*delta_z2[i2]) + lam*W2[i2, i1]
    dW2 = gradient[2080:2400].reshape(10, 32)
    np.dot(delta_z2.T, a1, dW2)
    for i2 in range(10):
        for i1 in range(32):
            dW2[i2, i1] = dW2[i2, i1] * share + W2[i2, i1] * lam

    # (17)  db2[i2] = batch_mean(delta_z2[i2])
    db2 = gradient[2400:2410]
    for i2 in range(10):
        db2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(10):
            db2[i2] += delta_z2[n, i2]
    for i2 in range(10):
        db2[i2] = db2[i2] * share

    # (18)  delta_a1[i1] = sum(W2[i2, i1]*delta_z2[i2], i2)
    # (19)  delta_z1[i1] = delta_a1[i1]*(1 - a1[i1]**2)
    delta_a1 = workspace[140 * batch:172 * batch].reshape(batch, 32)
    delta_z1 = workspace[172 * batch:204 * batch].reshape(batch, 32)
    np.dot(delta_z2, W2, delta_a1)
    for n in range(batch):
        for i1 in range(32):
            delta_z1[n, i1] = (real(1.0) - a1[n, i1] * a1[n, i1]) * delta_a1[n, i1]

    # (20)  dW1[i1, i0] = batch_mean(x[i0]*delta_z1[i1]) + lam*W1[i1, i0]
    dW1 = gradient[0:2048].reshape(32, 64)
    np.dot(delta_z1.T, x, dW1)
    for i1 in range(32):
        for i0 in range(64):
            dW1[i1, i0] = dW1[i1, i0] * share + W1[i1, i0] * lam

    # (21)  db1[i1] = batch_mean(delta_z1[i1])
    db1 = gradient[2048:2080]
    for i1 in range(32):
        db1[i1] = real(0.0)
    for n in range(batch):
        for i1 in range(32):
            db1[i1] += delta_z1[n, i1]
    for i1 in range(32):
        db1[i1] = db1[i1] * share

    mean = 0.0
    for n in range(batch):
        mean += R[n]
    return mean / batch
