"""Value and gradient of maxout.

Derived from its equations by symbackprop; each block of code stands
under the numbers and formulas of the equations that it computes.

    value = backward(theta, x, y, gradient, workspace)
    value = forward(theta, x, y, workspace)

theta and gradient hold 4930 numbers of float32:

    parameter  shape          from  to
    W1         (24, 3, 8, 8)  0     4608
    b1         (24, 3)        4608  4680
    W2         (10, 24)       4680  4920
    b2         (10)           4920  4930

workspace holds 0 + 290 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float32 (batch, 8, 8)
    y: int64 (batch)
"""

import math
import sys
import types

import numpy as np
from numba import njit

# Numba caches the functions under this name, however this file is
# imported.
__name__ = 'maxout_kernels_float32_00ab683e3308'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float32

THETA_SIZE = 4930
WORKSPACE_FIXED = 0
WORKSPACE_PER_SAMPLE = 290


@njit(error_model="numpy")
def outside(values, low, high):
    for value in values.flat:
        if value < low or value > high:
            return True
    return False


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def forward(theta, x, y, workspace):
    """Return the value; compute every tensor."""
    if theta.size != THETA_SIZE:
        raise ValueError("theta must hold 4930 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 8, 8):
        raise ValueError("x must have shape (batch, 8, 8)")
    if y.shape != (batch,):
        raise ValueError("y must have shape (batch)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")
    if outside(y, 0, 9):
        return math.nan

    # (1)  z1[i1, k1] = sum(W1[i1, k1, i0, j0]*x[i0, j0], i0, j0) + b1[i1, k1]
    W1 = theta[0:4608].reshape(24, 3, 8, 8)
    b1 = theta[4608:4680].reshape(24, 3)
    z1 = workspace[0 * batch:72 * batch].reshape(batch, 24, 3)
    np.dot(x.reshape(batch, 64), W1.reshape(72, 64).T, z1.reshape(batch, 72))
    for n in range(batch):
        for i1 in range(24):
            for k1 in range(3):
                z1[n, i1, k1] = z1[n, i1, k1] + b1[i1, k1]

    # (2)  a1[i1] = max(z1[i1, k1], k1)
    a1 = workspace[72 * batch:96 * batch].reshape(batch, 24)
    for n in range(batch):
        for i1 in range(24):
            best = real(-np.inf)
            for k1 in range(3):
                value = z1[n, i1, k1]
                if value > best or (value != value and best == best):
                    best = value
            a1[n, i1] = best

    # (3)  a1_argmax[i1] = argmax(z1[i1, k1], k1)
    a1_argmax = workspace[96 * batch:120 * batch].reshape(batch, 24)
    for n in range(batch):
        for i1 in range(24):
            best = real(-np.inf)
            place = 0
            for k1 in range(3):
                value = z1[n, i1, k1]
                if value > best or (value != value and best == best):
                    best = value
                    place = k1
            a1_argmax[n, i1] = real(place)

    # (4)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    W2 = theta[4680:4920].reshape(10, 24)
    b2 = theta[4920:4930]
    z2 = workspace[120 * batch:130 * batch].reshape(batch, 10)
    np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

    # (5)  a2_max = max(z2[k2], k2)
    a2_max = workspace[130 * batch:131 * batch]
    for n in range(batch):
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            if value > best or (value != value and best == best):
                best = value
        a2_max[n] = best

    # (6)  a2_exp[k2] = exp(z2[k2] - a2_max)
    a2_exp = workspace[131 * batch:141 * batch].reshape(batch, 10)
    for n in range(batch):
        for k2 in range(10):
            a2_exp[n, k2] = np.exp(z2[n, k2] - a2_max[n])

    # (7)  a2_sum = sum(a2_exp[k2], k2)
    a2_sum = workspace[141 * batch:142 * batch]
    for n in range(batch):
        total = real(0.0)
        for k2 in range(10):
            total += a2_exp[n, k2]
        a2_sum[n] = total

    # (8)  a2[i2] = a2_exp[i2]/a2_sum
    a2 = workspace[142 * batch:152 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            a2[n, i2] = a2_exp[n, i2] / a2_sum[n]

    # (9)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
    log_a2 = workspace[152 * batch:162 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            log_a2[n, i2] = z2[n, i2] - a2_max[n] - np.log(a2_sum[n])

    # (10)  L = -log_a2[y]
    L = workspace[162 * batch:163 * batch]
    for n in range(batch):
        L[n] = -log_a2[n, y[n]]

    mean = 0.0
    for n in range(batch):
        mean += L[n]
    return mean / batch


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def backward(theta, x, y, gradient, workspace):
    """Return the value; write its gradient."""
    if theta.size != THETA_SIZE:
        raise ValueError("theta must hold 4930 numbers")
    if gradient.size != THETA_SIZE:
        raise ValueError("gradient must hold 4930 numbers")
    batch = x.shape[0]
    if batch < 1:
        raise ValueError("the batch must not be empty")
    if x.shape != (batch, 8, 8):
        raise ValueError("x must have shape (batch, 8, 8)")
    if y.shape != (batch,):
        raise ValueError("y must have shape (batch)")
    if workspace.size < WORKSPACE_FIXED + WORKSPACE_PER_SAMPLE * batch:
        raise ValueError("workspace holds too few numbers")
    if outside(y, 0, 9):
        return math.nan
    share = real(1.0) / real(batch)

    # (1)  z1[i1, k1] = sum(W1[i1, k1, i0, j0]*x[i0, j0], i0, j0) + b1[i1, k1]
    W1 = theta[0:4608].reshape(24, 3, 8, 8)
    b1 = theta[4608:4680].reshape(24, 3)
    z1 = workspace[0 * batch:72 * batch].reshape(batch, 24, 3)
    np.dot(x.reshape(batch, 64), W1.reshape(72, 64).T, z1.reshape(batch, 72))
    for n in range(batch):
        for i1 in range(24):
            for k1 in range(3):
                z1[n, i1, k1] = z1[n, i1, k1] + b1[i1, k1]

    # (2)  a1[i1] = max(z1[i1, k1], k1)
    a1 = workspace[72 * batch:96 * batch].reshape(batch, 24)
    for n in range(batch):
        for i1 in range(24):
            best = real(-np.inf)
            for k1 in range(3):
                value = z1[n, i1, k1]
                if value > best or (value != value and best == best):
                    best = value
            a1[n, i1] = best

    # (3)  a1_argmax[i1] = argmax(z1[i1, k1], k1)
    a1_argmax = workspace[96 * batch:120 * batch].reshape(batch, 24)
    for n in range(batch):
        for i1 in range(24):
            best = real(-np.inf)
            place = 0
            for k1 in range(3):
                value = z1[n, i1, k1]
                if value > best or (value != value and best == best):
                    best = value
                    place = k1
            a1_argmax[n, i1] = real(place)

    # (4)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    W2 = theta[4680:4920].reshape(10, 24)
    b2 = theta[4920:4930]
    z2 = workspace[120 * batch:130 * batch].reshape(batch, 10)
    np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

    # (5)  a2_max = max(z2[k2], k2)
    a2_max = workspace[130 * batch:131 * batch]
    for n in range(batch):
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            if value > best or (value != value and best == best):
                best = value
        a2_max[n] = best

    # (6)  a2_exp[k2] = exp(z2[k2] - a2_max)
    a2_exp = workspace[131 * batch:141 * batch].reshape(batch, 10)
    for n in range(batch):
        for k2 in range(10):
            a2_exp[n, k2] = np.exp(z2[n, k2] - a2_max[n])

    # (7)  a2_sum = sum(a2_exp[k2], k2)
    a2_sum = workspace[141 * batch:142 * batch]
    for n in range(batch):
        total = real(0.0)
        for k2 in range(10):
            total += a2_exp[n, k2]
        a2_sum[n] = total

    # (9)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
    log_a2 = workspace[152 * batch:162 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            log_a2[n, i2] = z2[n, i2] - a2_max[n] - np.log(a2_sum[n])

    # (10)  L = -log_a2[y]
    L = workspace[162 * batch:163 * batch]
    for n in range(batch):
        L[n] = -log_a2[n, y[n]]

    # (11)  delta_log_a2[y] += -1
    delta_log_a2 = workspace[163 * batch:173 * batch].reshape(batch, 10)
    for n in range(batch):
        for i2 in range(10):
            delta_log_a2[n, i2] = real(0.0)
    for n in range(batch):
        if 0 <= y[n] < 10:
            delta_log_a2[n, y[n]] += real(-1.0)

    # (12)  delta_a2_sum = -sum(delta_log_a2[i2]/a2_sum, i2)
    delta_a2_sum = workspace[173 * batch:174 * batch]
    for n in range(batch):
        total = real(0.0)
        for i2 in range(10):
            total += -delta_log_a2[n, i2] / a2_sum[n]
        delta_a2_sum[n] = total

    # (13)  delta_a2_exp[k2] = delta_a2_sum
    # (14)  delta_z2[i2] = a2_exp[i2]*delta_a2_exp[i2] + delta_log_a2[i2]
    delta_a2_exp = workspace[174 * batch:184 * batch].reshape(batch, 10)
    delta_z2 = workspace[184 * batch:194 * batch].reshape(batch, 10)
    for n in range(batch):
        for k2 in range(10):
            delta_a2_exp[n, k2] = delta_a2_sum[n]
            delta_z2[n, k2] = a2_exp[n, k2] * delta_a2_exp[n, k2] + delta_log_a2[n, k2]

    # (15)  dW2[i2, i1] = batch_mean(a1[i1]*delta_z2[i2])
    dW2 = gradient[4680:4920].reshape(10, 24)
    np.dot(delta_z2.T, a1, dW2)
    for i2 in range(10):
        for i1 in range(24):
            dW2[i2, i1] = dW2[i2, i1] * share

    # (16)  db2[i2] = batch_mean(delta_z2[i2])
    db2 = gradient[4920:4930]
    for i2 in range(10):
        db2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(10):
            db2[i2] += delta_z2[n, i2]
    for i2 in range(10):
        db2[i2] = db2[i2] * share

    # (17)  delta_a1[i1] = sum(W2[i2, i1]*delta_z2[i2], i2)
    delta_a1 = workspace[194 * batch:218 * batch].reshape(batch, 24)
    np.dot(delta_z2, W2, delta_a1)

    # (18)  delta_z1[i1, k1] = delta_a1[i1]*where(k1 == a1_argmax[i1], 1, 0)
    delta_z1 = workspace[218 * batch:290 * batch].reshape(batch, 24, 3)
    for n in range(batch):
        for i1 in range(24):
            for k1 in range(3):
                delta_z1[n, i1, k1] = delta_a1[n, i1] * (real(1.0) if real(k1) == a1_argmax[n, i1] else real(0.0))

    # (19)  dW1[i1, k1, i0, j0] = batch_mean(x[i0, j0]*delta_z1[i1, k1])
    dW1 = gradient[0:4608].reshape(24, 3, 8, 8)
    np.dot(delta_z1.reshape(batch, 72).T, x.reshape(batch, 64), dW1.reshape(72, 64))
    for i1 in range(24):
        for k1 in range(3):
            for i0 in range(8):
                for j0 in range(8):
                    dW1[i1, k1, i0, j0] = dW1[i1, k1, i0, j0] * share

    # (20)  db1[i1, k1] = batch_mean(delta_z1[i1, k1])
    db1 = gradient[4608:4680].reshape(24, 3)
    for i1 in range(24):
        for k1 in range(3):
            db1[i1, k1] = real(0.0)
    for n in range(batch):
        for i1 in range(24):
            for k1 in range(3):
                db1[i1, k1] += delta_z1[n, i1, k1]
    for i1 in range(24):
        for k1 in range(3):
            db1[i1, k1] = db1[i1, k1] * share

    mean = 0.0
    for n in range(batch):
        mean += L[n]
    return mean / batch
