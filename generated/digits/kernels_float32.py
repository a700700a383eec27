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

workspace holds 30 + 108 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float32 (batch, 64)
    y: float32 (batch, 10)
"""

import math
import sys
import types

import numba
import numpy as np
from numba import carray, njit
from numba.extending import intrinsic, overload

# Numba caches the functions under this name, however this file is
# imported.
__name__ = 'digits_kernels_float32_b07dfa08ca2a'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float32

THETA_SIZE = 2410
WORKSPACE_FIXED = 30
WORKSPACE_PER_SAMPLE = 108
lam = real(0.0001)


@intrinsic
def pointer(context, address):
    def build(context, builder, signature, arguments):
        kind = context.get_value_type(signature.return_type)
        return builder.inttoptr(arguments[0], kind)

    return numba.types.voidptr(address), build


def view(buffer, start, shape):
    """Numbers of a buffer, from `start` on, as an array of that shape."""
    flat = np.ravel(buffer)
    return flat[start:start + math.prod(shape)].reshape(shape)


@overload(view)
def compiled_view(buffer, start, shape):
    def lean(buffer, start, shape):
        address = buffer.ctypes.data + start * buffer.itemsize
        return carray(pointer(address), shape, buffer.dtype)

    return lean


@njit(error_model="numpy", forceinline=True, fastmath={"contract", "nsz", "reassoc"})
def add(total, value):
    """A step of a sum whose order is free, so that it can go in parallel lanes."""
    return total + value


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
    W1 = view(theta, 0, (32, 64))
    b1 = view(theta, 2048, (32,))
    z1 = view(workspace, 30, (batch, 32))
    a1 = view(workspace, 30 + 32 * batch, (batch, 32))
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(32):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = np.tanh(z1[n, i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    R_sum = real(0.0)
    for i1 in range(32):
        for i0 in range(64):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    W2 = view(theta, 2080, (10, 32))
    for i2 in range(10):
        for i1 in range(32):
            R_sum = add(R_sum, real(0.5) * W2[i2, i1] * W2[i2, i1] * lam)
    b2 = view(theta, 2400, (10,))
    z2 = view(workspace, 30 + 64 * batch, (batch, 10))
    a2_max = view(workspace, 30 + 74 * batch, (batch,))
    a2_exp = view(workspace, 30 + 75 * batch, (batch, 10))
    a2_sum = view(workspace, 30 + 85 * batch, (batch,))
    a2 = view(workspace, 30 + 86 * batch, (batch, 10))
    log_a2 = view(workspace, 30 + 96 * batch, (batch, 10))
    L = view(workspace, 30 + 106 * batch, (batch,))
    R = view(workspace, 30 + 107 * batch, (batch,))
    np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

        # (4)  a2_max = max(z2[k2], k2)
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            best = value if value > best or value != value else best
        a2_max[n] = best

        # (5)  a2_exp[k2] = exp(z2[k2] - a2_max)
        for k2 in range(10):
            a2_exp[n, k2] = np.exp(z2[n, k2] - a2_max[n])

        # (6)  a2_sum = sum(a2_exp[k2], k2)
        total = real(0.0)
        for k2 in range(10):
            total = add(total, a2_exp[n, k2])
        a2_sum[n] = total

        # (7)  a2[i2] = a2_exp[i2]/a2_sum
        for i2 in range(10):
            a2[n, i2] = a2_exp[n, i2] / a2_sum[n]

        # (8)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
        for i2 in range(10):
            log_a2[n, i2] = z2[n, i2] - a2_max[n] - np.log(a2_sum[n])

        # (9)  L = -sum(y[i2]*log_a2[i2], i2)
        # (10)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
        total = real(0.0)
        for i2 in range(10):
            total = add(total, -y[n, i2] * log_a2[n, i2])
        L[n] = total
        R[n] = L[n] + R_sum

    mean = 0.0
    for n in range(batch):
        mean = add(mean, R[n])
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
    W1 = view(theta, 0, (32, 64))
    b1 = view(theta, 2048, (32,))
    z1 = view(workspace, 30, (batch, 32))
    a1 = view(workspace, 30, (batch, 32))
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(32):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = np.tanh(z1[n, i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    R_sum = real(0.0)
    for i1 in range(32):
        for i0 in range(64):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    W2 = view(theta, 2080, (10, 32))
    for i2 in range(10):
        for i1 in range(32):
            R_sum = add(R_sum, real(0.5) * W2[i2, i1] * W2[i2, i1] * lam)
    b2 = view(theta, 2400, (10,))
    z2 = view(workspace, 30 + 32 * batch, (batch, 10))
    a2_exp = view(workspace, 0, (10,))
    log_a2 = view(workspace, 10, (10,))
    R = view(workspace, 30 + 42 * batch, (batch,))
    delta_log_a2 = view(workspace, 20, (10,))
    delta_z2 = view(workspace, 30 + 43 * batch, (batch, 10))
    db2 = view(gradient, 2400, (10,))
    np.dot(a1, W2.T, z2)
    for i2 in range(10):
        db2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

        # (4)  a2_max = max(z2[k2], k2)
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            best = value if value > best or value != value else best
        a2_max = best

        # (5)  a2_exp[k2] = exp(z2[k2] - a2_max)
        for k2 in range(10):
            a2_exp[k2] = np.exp(z2[n, k2] - a2_max)

        # (6)  a2_sum = sum(a2_exp[k2], k2)
        total = real(0.0)
        for k2 in range(10):
            total = add(total, a2_exp[k2])
        a2_sum = total

        # (8)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
        for i2 in range(10):
            log_a2[i2] = z2[n, i2] - a2_max - np.log(a2_sum)

        # (9)  L = -sum(y[i2]*log_a2[i2], i2)
        # (10)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
        total = real(0.0)
        for i2 in range(10):
            total = add(total, -y[n, i2] * log_a2[i2])
        L = total
        R[n] = L + R_sum

        # (11)  delta_L = 1
        delta_L = share

        # (12)  delta_log_a2[i2] = -y[i2]*delta_L
        for i2 in range(10):
            delta_log_a2[i2] = -y[n, i2] * delta_L

        # (13)  delta_a2_sum = -sum(delta_log_a2[i2]/a2_sum, i2)
        total = real(0.0)
        for i2 in range(10):
            total = add(total, -delta_log_a2[i2] / a2_sum)
        delta_a2_sum = total

        # (14)  delta_a2_exp[k2] = delta_a2_sum
        # (15)  delta_z2[i2] = a2_exp[i2]*delta_a2_exp[i2] + delta_log_a2[i2]
        # (17)  db2[i2] = batch_mean(delta_z2[i2])
        for k2 in range(10):
            delta_a2_exp = delta_a2_sum
            delta_z2[n, k2] = a2_exp[k2] * delta_a2_exp + delta_log_a2[k2]
            db2[k2] += delta_z2[n, k2]

    # (16)  dW2[i2, i1] = batch_mean(a1[i1]*delta_z2[i2]) + lam*W2[i2, i1]
    dW2 = view(gradient, 2080, (10, 32))
    np.dot(delta_z2.T, a1, dW2)
    for i2 in range(10):
        for i1 in range(32):
            dW2[i2, i1] = dW2[i2, i1] + W2[i2, i1] * lam

    # (18)  delta_a1[i1] = sum(W2[i2, i1]*delta_z2[i2], i2)
    # (19)  delta_z1[i1] = delta_a1[i1]*(1 - a1[i1]**2)
    # (21)  db1[i1] = batch_mean(delta_z1[i1])
    delta_a1 = view(workspace, 30 + 53 * batch, (batch, 32))
    delta_z1 = view(workspace, 30, (batch, 32))
    db1 = view(gradient, 2048, (32,))
    np.dot(delta_z2, W2, delta_a1)
    for i1 in range(32):
        db1[i1] = real(0.0)
    for n in range(batch):
        for i1 in range(32):
            delta_z1[n, i1] = (real(1.0) - a1[n, i1] * a1[n, i1]) * delta_a1[n, i1]
            db1[i1] += delta_z1[n, i1]

    # (20)  dW1[i1, i0] = batch_mean(x[i0]*delta_z1[i1]) + lam*W1[i1, i0]
    dW1 = view(gradient, 0, (32, 64))
    np.dot(delta_z1.T, x, dW1)
    for i1 in range(32):
        for i0 in range(64):
            dW1[i1, i0] = dW1[i1, i0] + W1[i1, i0] * lam

    mean = 0.0
    for n in range(batch):
        mean = add(mean, R[n])
    return mean / batch


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def bound(address):
    """Do as `backward` does, with arrays whose addresses stand in a table.

    The table is given by its own address. It holds int64: the addresses of
    what `backward` takes, in order, then how long batch and workspace are.
    """
    table = carray(pointer(address), (7,), np.int64)
    theta = carray(pointer(table[0]), (THETA_SIZE,), real)
    x = carray(pointer(table[1]), (table[5], 64), real)
    y = carray(pointer(table[2]), (table[5], 10), real)
    gradient = carray(pointer(table[3]), (THETA_SIZE,), real)
    workspace = carray(pointer(table[4]), (table[6],), real)
    return backward(theta, x, y, gradient, workspace)
