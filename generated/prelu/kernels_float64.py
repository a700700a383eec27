"""Value and gradient of prelu.

Derived from its equations by symbackprop; each block of code stands
under the numbers and formulas of the equations that it computes.

    value = backward(theta, x, y, gradient, workspace)
    value = forward(theta, x, y, workspace)

theta and gradient hold 529 numbers of float64:

    parameter  shape     from  to
    W1         (16, 30)  0     480
    b1         (16)      480   496
    r1         (16)      496   512
    W2         (1, 16)   512   528
    b2         (1)       528   529

workspace holds 0 + 74 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float64 (batch, 30)
    y: float64 (batch, 1)
"""

import sys
import types

import numpy as np
from numba import njit

# Numba caches the functions under this name, however this file is
# imported.
__name__ = 'prelu_kernels_float64_b4524bea4405'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float64

THETA_SIZE = 529
WORKSPACE_FIXED = 0
WORKSPACE_PER_SAMPLE = 74
lam = real(0.001)


@njit(error_model="numpy")
def prelu(x, y):
    return x if real(0.0) < x else x * y


@njit(error_model="numpy")
def logistic(x):
    u1 = np.exp(-np.abs(x))
    return u1 / (real(1.0) + u1) if x < real(0.0) else real(1.0) / (real(1.0) + u1)


@njit(error_model="numpy")
def maximum(x, y):
    return x if x >= y or x != x else y


@njit(error_model="numpy")
def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + maximum(x, real(0.0))


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def forward(theta, x, y, workspace):
    """Return the value; compute every tensor."""
    if theta.size != THETA_SIZE:
        raise ValueError("theta must hold 529 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 30):
        raise ValueError("x must have shape (batch, 30)")
    if y.shape != (batch, 1):
        raise ValueError("y must have shape (batch, 1)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")

    # (1)  z1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]
    # (2)  a1[i1] = prelu(z1[i1], r1[i1])
    W1 = theta[0:480].reshape(16, 30)
    b1 = theta[480:496]
    z1 = workspace[0 * batch:16 * batch].reshape(batch, 16)
    r1 = theta[496:512]
    a1 = workspace[16 * batch:32 * batch].reshape(batch, 16)
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(16):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = prelu(z1[n, i1], r1[i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    # (4)  a2[i2] = logistic(z2[i2])
    # (5)  log_a2[i2] = -softplus(-z2[i2])
    # (6)  log_1_minus_a2[i2] = -softplus(z2[i2])
    W2 = theta[512:528].reshape(1, 16)
    b2 = theta[528:529]
    z2 = workspace[32 * batch:33 * batch].reshape(batch, 1)
    a2 = workspace[33 * batch:34 * batch].reshape(batch, 1)
    log_a2 = workspace[34 * batch:35 * batch].reshape(batch, 1)
    log_1_minus_a2 = workspace[35 * batch:36 * batch].reshape(batch, 1)
    np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(1):
            z2[n, i2] = z2[n, i2] + b2[i2]
            a2[n, i2] = logistic(z2[n, i2])
            log_a2[n, i2] = -softplus(-z2[n, i2])
            log_1_minus_a2[n, i2] = -softplus(z2[n, i2])

    # (7)  L = sum(-y[i2]*log_a2[i2] - log_1_minus_a2[i2]*(1 - y[i2]), i2)
    # (8)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
    R_sum = real(0.0)
    for i1 in range(16):
        for i0 in range(30):
            R_sum += real(0.5) * W1[i1, i0] * W1[i1, i0] * lam
    for i2 in range(1):
        for i1 in range(16):
            R_sum += real(0.5) * W2[i2, i1] * W2[i2, i1] * lam
    L = workspace[36 * batch:37 * batch]
    R = workspace[37 * batch:38 * batch]
    for n in range(batch):
        total = real(0.0)
        for i2 in range(1):
            total += -(real(1.0) - y[n, i2]) * log_1_minus_a2[n, i2] - y[n, i2] * log_a2[n, i2]
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
        raise ValueError("theta must hold 529 numbers")
    if gradient.size != THETA_SIZE:
        raise ValueError("gradient must hold 529 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 30):
        raise ValueError("x must have shape (batch, 30)")
    if y.shape != (batch, 1):
        raise ValueError("y must have shape (batch, 1)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")
    share = real(1.0) / real(batch)

    # (1)  z1[i1] = sum(W1[i1, i0]*x[i0], i0) + b1[i1]
    # (2)  a1[i1] = prelu(z1[i1], r1[i1])
    W1 = theta[0:480].reshape(16, 30)
    b1 = theta[480:496]
    z1 = workspace[0 * batch:16 * batch].reshape(batch, 16)
    r1 = theta[496:512]
    a1 = workspace[16 * batch:32 * batch].reshape(batch, 16)
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(16):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = prelu(z1[n, i1], r1[i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    # (5)  log_a2[i2] = -softplus(-z2[i2])
    # (6)  log_1_minus_a2[i2] = -softplus(z2[i2])
    W2 = theta[512:528].reshape(1, 16)
    b2 = theta[528:529]
    z2 = workspace[32 * batch:33 * batch].reshape(batch, 1)
    log_a2 = workspace[34 * batch:35 * batch].reshape(batch, 1)
    log_1_minus_a2 = workspace[35 * batch:36 * batch].reshape(batch, 1)
    np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(1):
            z2[n, i2] = z2[n, i2] + b2[i2]
            log_a2[n, i2] = -softplus(-z2[n, i2])
            log_1_minus_a2[n, i2] = -softplus(z2[n, i2])

    # (7)  L = sum(-y[i2]*log_a2[i2] - log_1_minus_a2[i2]*(1 - y[i2]), i2)
    # (8)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
    R_sum = real(0.0)
    for i1 in range(16):
        for i0 in range(30):
            R_sum += real(0.5) * W1[i1, i0] * W1[i1, i0] * lam
    for i2 in range(1):
        for i1 in range(16):
            R_sum += real(0.5) * W2[i2, i1] * W2[i2, i1] * lam
    L = workspace[36 * batch:37 * batch]
    R = workspace[37 * batch:38 * batch]
    for n in range(batch):
        total = real(0.0)
        for i2 in range(1):
            total += -(real(1.0) - y[n, i2]) * log_1_minus_a2[n, i2] - y[n, i2] * log_a2[n, i2]
        L[n] = total
        R[n] = L[n] + R_sum

    # (9)  delta_L = 1
    delta_L = workspace[38 * batch:39 * batch]
    for n in range(batch):
        delta_L[n] = real(1.0)

    # (10)  delta_log_1_minus_a2[i2] = delta_L*(y[i2] - 1)
    delta_log_1_minus_a2 = workspace[39 * batch:40 * batch].reshape(batch, 1)
    for n in range(batch):
        for i2 in range(1):
            delta_log_1_minus_a2[n, i2] = (y[n, i2] - real(1.0)) * delta_L[n]

    # (11)  delta_log_a2[i2] = -y[i2]*delta_L
    # (12)  delta_z2[i2] = delta_log_a2[i2]*logistic(-z2[i2]) -
    #     delta_log_1_minus_a2[i2]*logistic(z2[i2])
    delta_log_a2 = workspace[40 * batch:41 * batch].reshape(batch, 1)
    delta_z2 = workspace[41 * batch:42 * batch].reshape(batch, 1)
    for n in range(batch):
        for i2 in range(1):
            delta_log_a2[n, i2] = -y[n, i2] * delta_L[n]
            delta_z2[n, i2] = delta_log_a2[n, i2] * logistic(-z2[n, i2]) - delta_log_1_minus_a2[n, i2] * logistic(z2[n, i2])

    # (13)  dW2[i2, i1] = batch_mean(a1[i1]*delta_z2[i2]) + lam*W2[i2, i1]
    dW2 = gradient[512:528].reshape(1, 16)
    np.dot(delta_z2.T, a1, dW2)
    for i2 in range(1):
        for i1 in range(16):
            dW2[i2, i1] = dW2[i2, i1] * share + W2[i2, i1] * lam

    # (14)  db2[i2] = batch_mean(delta_z2[i2])
    db2 = gradient[528:529]
    for i2 in range(1):
        db2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(1):
            db2[i2] += delta_z2[n, i2]
    for i2 in range(1):
        db2[i2] = db2[i2] * share

    # (15)  delta_a1[i1] = sum(W2[i2, i1]*delta_z2[i2], i2)
    delta_a1 = workspace[42 * batch:58 * batch].reshape(batch, 16)
    np.dot(delta_z2, W2, delta_a1)

    # (16)  dr1[i1] = batch_mean(delta_a1[i1]*where(0 < z1[i1], 0, z1[i1]))
    dr1 = gradient[496:512]
    for i1 in range(16):
        dr1[i1] = real(0.0)
    for n in range(batch):
        for i1 in range(16):
            dr1[i1] += delta_a1[n, i1] * (real(0.0) if real(0.0) < z1[n, i1] else z1[n, i1])
    for i1 in range(16):
        dr1[i1] = dr1[i1] * share

    # (17)  delta_z1[i1] = delta_a1[i1]*where(0 < z1[i1], 1, r1[i1])
    delta_z1 = workspace[58 * batch:74 * batch].reshape(batch, 16)
    for n in range(batch):
        for i1 in range(16):
            delta_z1[n, i1] = delta_a1[n, i1] * (real(1.0) if real(0.0) < z1[n, i1] else r1[i1])

    # (18)  dW1[i1, i0] = batch_mean(x[i0]*delta_z1[i1]) + lam*W1[i1, i0]
    dW1 = gradient[0:480].reshape(16, 30)
    np.dot(delta_z1.T, x, dW1)
    for i1 in range(16):
        for i0 in range(30):
            dW1[i1, i0] = dW1[i1, i0] * share + W1[i1, i0] * lam

    # (19)  db1[i1] = batch_mean(delta_z1[i1])
    db1 = gradient[480:496]
    for i1 in range(16):
        db1[i1] = real(0.0)
    for n in range(batch):
        for i1 in range(16):
            db1[i1] += delta_z1[n, i1]
    for i1 in range(16):
        db1[i1] = db1[i1] * share

    mean = 0.0
    for n in range(batch):
        mean += R[n]
    return mean / batch
