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

workspace holds 3 + 51 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float64 (batch, 30)
    y: float64 (batch, 1)
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
__name__ = 'prelu_kernels_float64_964ca738533c'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float64

THETA_SIZE = 529
WORKSPACE_FIXED = 3
WORKSPACE_PER_SAMPLE = 51
lam = real(0.001)


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


@njit(error_model="numpy", forceinline=True)
def prelu(x, y):
    return x if real(0.0) < x else x * y


@njit(error_model="numpy", forceinline=True)
def logistic(x):
    u1 = np.exp(-np.abs(x))
    return u1 / (real(1.0) + u1) if x < real(0.0) else real(1.0) / (real(1.0) + u1)


@njit(error_model="numpy", forceinline=True)
def maximum(x, y):
    return x if x >= y or x != x else y


@njit(error_model="numpy", forceinline=True)
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
    W1 = view(theta, 0, (16, 30))
    b1 = view(theta, 480, (16,))
    z1 = view(workspace, 3, (batch, 16))
    r1 = view(theta, 496, (16,))
    a1 = view(workspace, 3 + 16 * batch, (batch, 16))
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(16):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = prelu(z1[n, i1], r1[i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    # (4)  a2[i2] = logistic(z2[i2])
    # (5)  log_a2[i2] = -softplus(-z2[i2])
    # (6)  log_1_minus_a2[i2] = -softplus(z2[i2])
    R_sum = real(0.0)
    for i1 in range(16):
        for i0 in range(30):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    W2 = view(theta, 512, (1, 16))
    for i2 in range(1):
        for i1 in range(16):
            R_sum = add(R_sum, real(0.5) * W2[i2, i1] * W2[i2, i1] * lam)
    b2 = view(theta, 528, (1,))
    z2 = view(workspace, 3 + 32 * batch, (batch, 1))
    a2 = view(workspace, 3 + 33 * batch, (batch, 1))
    log_a2 = view(workspace, 3 + 34 * batch, (batch, 1))
    log_1_minus_a2 = view(workspace, 3 + 35 * batch, (batch, 1))
    L = view(workspace, 3 + 36 * batch, (batch,))
    R = view(workspace, 3 + 37 * batch, (batch,))
    if batch <= 16:
        for n in range(batch):
            for i2 in range(1):
                total = real(0.0)
                for i1 in range(16):
                    total = add(total, a1[n, i1] * W2[i2, i1])
                z2[n, i2] = total
    else:
        np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(1):
            z2[n, i2] = z2[n, i2] + b2[i2]
            a2[n, i2] = logistic(z2[n, i2])
            log_a2[n, i2] = -softplus(-z2[n, i2])
            log_1_minus_a2[n, i2] = -softplus(z2[n, i2])

        # (7)  L = sum(-y[i2]*log_a2[i2] - log_1_minus_a2[i2]*(1 - y[i2]), i2)
        # (8)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
        total = real(0.0)
        for i2 in range(1):
            total = add(total, -(real(1.0) - y[n, i2]) * log_1_minus_a2[n, i2] - y[n, i2] * log_a2[n, i2])
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
    W1 = view(theta, 0, (16, 30))
    b1 = view(theta, 480, (16,))
    z1 = view(workspace, 3, (batch, 16))
    r1 = view(theta, 496, (16,))
    a1 = view(workspace, 3 + 16 * batch, (batch, 16))
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(16):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = prelu(z1[n, i1], r1[i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    # (5)  log_a2[i2] = -softplus(-z2[i2])
    # (6)  log_1_minus_a2[i2] = -softplus(z2[i2])
    R_sum = real(0.0)
    for i1 in range(16):
        for i0 in range(30):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    W2 = view(theta, 512, (1, 16))
    for i2 in range(1):
        for i1 in range(16):
            R_sum = add(R_sum, real(0.5) * W2[i2, i1] * W2[i2, i1] * lam)
    b2 = view(theta, 528, (1,))
    z2 = view(workspace, 3 + 32 * batch, (batch, 1))
    log_a2 = view(workspace, 0, (1,))
    log_1_minus_a2 = view(workspace, 1, (1,))
    R = view(workspace, 3 + 33 * batch, (batch,))
    delta_log_1_minus_a2 = view(workspace, 2, (1,))
    delta_z2 = view(workspace, 3 + 34 * batch, (batch, 1))
    db2 = view(gradient, 528, (1,))
    if batch <= 16:
        for n in range(batch):
            for i2 in range(1):
                total = real(0.0)
                for i1 in range(16):
                    total = add(total, a1[n, i1] * W2[i2, i1])
                z2[n, i2] = total
    else:
        np.dot(a1, W2.T, z2)
    for i2 in range(1):
        db2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(1):
            z2[n, i2] = z2[n, i2] + b2[i2]
            log_a2[i2] = -softplus(-z2[n, i2])
            log_1_minus_a2[i2] = -softplus(z2[n, i2])

        # (7)  L = sum(-y[i2]*log_a2[i2] - log_1_minus_a2[i2]*(1 - y[i2]), i2)
        # (8)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
        total = real(0.0)
        for i2 in range(1):
            total = add(total, -(real(1.0) - y[n, i2]) * log_1_minus_a2[i2] - y[n, i2] * log_a2[i2])
        L = total
        R[n] = L + R_sum

        # (9)  delta_L = 1
        delta_L = share

        # (10)  delta_log_1_minus_a2[i2] = delta_L*(y[i2] - 1)
        for i2 in range(1):
            delta_log_1_minus_a2[i2] = (y[n, i2] - real(1.0)) * delta_L

        # (11)  delta_log_a2[i2] = -y[i2]*delta_L
        # (12)  delta_z2[i2] = delta_log_a2[i2]*logistic(-z2[i2]) -
        #     delta_log_1_minus_a2[i2]*logistic(z2[i2])
        # (14)  db2[i2] = batch_mean(delta_z2[i2])
        for i2 in range(1):
            delta_log_a2 = -y[n, i2] * delta_L
            delta_z2[n, i2] = delta_log_a2 * logistic(-z2[n, i2]) - delta_log_1_minus_a2[i2] * logistic(z2[n, i2])
            db2[i2] += delta_z2[n, i2]

    # (13)  dW2[i2, i1] = batch_mean(a1[i1]*delta_z2[i2]) + lam*W2[i2, i1]
    dW2 = view(gradient, 512, (1, 16))
    if batch <= 16:
        for i2 in range(1):
            for i1 in range(16):
                dW2[i2, i1] = real(0.0)
        for n in range(batch):
            for i2 in range(1):
                for i1 in range(16):
                    dW2[i2, i1] += a1[n, i1] * delta_z2[n, i2]
    else:
        np.dot(delta_z2.T, a1, dW2)
    for i2 in range(1):
        for i1 in range(16):
            dW2[i2, i1] = dW2[i2, i1] + W2[i2, i1] * lam

    # (15)  delta_a1[i1] = sum(W2[i2, i1]*delta_z2[i2], i2)
    # (16)  dr1[i1] = batch_mean(delta_a1[i1]*where(0 < z1[i1], 0, z1[i1]))
    delta_a1 = view(workspace, 3 + 16 * batch, (batch, 16))
    dr1 = view(gradient, 496, (16,))
    delta_z1 = view(workspace, 3 + 35 * batch, (batch, 16))
    db1 = view(gradient, 480, (16,))
    if batch <= 16:
        for n in range(batch):
            for i1 in range(16):
                total = real(0.0)
                for i2 in range(1):
                    total = add(total, delta_z2[n, i2] * W2[i2, i1])
                delta_a1[n, i1] = total
    else:
        np.dot(delta_z2, W2, delta_a1)
    for i1 in range(16):
        dr1[i1] = real(0.0)
    for i1 in range(16):
        db1[i1] = real(0.0)
    for n in range(batch):
        for i1 in range(16):
            dr1[i1] += delta_a1[n, i1] * (real(0.0) if real(0.0) < z1[n, i1] else z1[n, i1])

        # (17)  delta_z1[i1] = delta_a1[i1]*where(0 < z1[i1], 1, r1[i1])
        # (19)  db1[i1] = batch_mean(delta_z1[i1])
        for i1 in range(16):
            delta_z1[n, i1] = delta_a1[n, i1] * (real(1.0) if real(0.0) < z1[n, i1] else r1[i1])
            db1[i1] += delta_z1[n, i1]

    # (18)  dW1[i1, i0] = batch_mean(x[i0]*delta_z1[i1]) + lam*W1[i1, i0]
    dW1 = view(gradient, 0, (16, 30))
    np.dot(delta_z1.T, x, dW1)
    for i1 in range(16):
        for i0 in range(30):
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
    x = carray(pointer(table[1]), (table[5], 30), real)
    y = carray(pointer(table[2]), (table[5], 1), real)
    gradient = carray(pointer(table[3]), (THETA_SIZE,), real)
    workspace = carray(pointer(table[4]), (table[6],), real)
    return backward(theta, x, y, gradient, workspace)
