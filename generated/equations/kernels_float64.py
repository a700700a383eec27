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

workspace holds 9 + 64 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float64 (batch, 13)
    y: float64 (batch, 3)
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
__name__ = 'equations_kernels_float64_56c39a696fb8'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float64

THETA_SIZE = 283
WORKSPACE_FIXED = 9
WORKSPACE_PER_SAMPLE = 64
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
    W1 = view(theta, 0, (8, 13))
    b1 = view(theta, 104, (8,))
    h1 = view(workspace, 9, (batch, 8))
    if batch <= 2:
        for n in range(batch):
            for i1 in range(8):
                total = real(0.0)
                for i0 in range(13):
                    total = add(total, x[n, i0] * W1[i1, i0])
                h1[n, i1] = total
    else:
        np.dot(x, W1.T, h1)
    for n in range(batch):
        for i1 in range(8):
            h1[n, i1] = h1[n, i1] + b1[i1]

    # (2)  g2_sum[i2] = sum(G2[i2, i1]*h1[i1], i1)
    # (3)  g2[i2] = logistic(c2[i2] + g2_sum[i2])
    G2 = view(theta, 112, (8, 8))
    g2_sum = view(workspace, 9 + 8 * batch, (batch, 8))
    c2 = view(theta, 176, (8,))
    g2 = view(workspace, 9 + 16 * batch, (batch, 8))
    if batch <= 4:
        for n in range(batch):
            for i2 in range(8):
                total = real(0.0)
                for i1 in range(8):
                    total = add(total, h1[n, i1] * G2[i2, i1])
                g2_sum[n, i2] = total
    else:
        np.dot(h1, G2.T, g2_sum)
    for n in range(batch):
        for i2 in range(8):
            g2[n, i2] = logistic(c2[i2] + g2_sum[n, i2])

    # (4)  n2_sum[i2] = sum(N2[i2, i1]*h1[i1], i1)
    # (5)  n2[i2] = tanh(d2[i2] + n2_sum[i2])
    # (6)  h2[i2] = h1[i2]*(1 - g2[i2]) + g2[i2]*n2[i2]
    N2 = view(theta, 184, (8, 8))
    n2_sum = view(workspace, 9 + 24 * batch, (batch, 8))
    d2 = view(theta, 248, (8,))
    n2 = view(workspace, 9 + 32 * batch, (batch, 8))
    h2 = view(workspace, 9 + 40 * batch, (batch, 8))
    if batch <= 4:
        for n in range(batch):
            for i2 in range(8):
                total = real(0.0)
                for i1 in range(8):
                    total = add(total, h1[n, i1] * N2[i2, i1])
                n2_sum[n, i2] = total
    else:
        np.dot(h1, N2.T, n2_sum)
    for n in range(batch):
        for i2 in range(8):
            n2[n, i2] = np.tanh(d2[i2] + n2_sum[n, i2])
            h2[n, i2] = (real(1.0) - g2[n, i2]) * h1[n, i2] + g2[n, i2] * n2[n, i2]

    # (7)  z3[k3] = sum(W3[k3, i2]*h2[i2], i2) + b3[k3]
    R_sum = real(0.0)
    for i1 in range(8):
        for i0 in range(13):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    for i2 in range(8):
        for i1 in range(8):
            R_sum = add(R_sum, real(0.5) * G2[i2, i1] * G2[i2, i1] * lam)
    for i2 in range(8):
        for i1 in range(8):
            R_sum = add(R_sum, real(0.5) * N2[i2, i1] * N2[i2, i1] * lam)
    W3 = view(theta, 256, (3, 8))
    for k3 in range(3):
        for i2 in range(8):
            R_sum = add(R_sum, real(0.5) * W3[k3, i2] * W3[k3, i2] * lam)
    b3 = view(theta, 280, (3,))
    z3 = view(workspace, 9 + 48 * batch, (batch, 3))
    p3_max = view(workspace, 9 + 51 * batch, (batch,))
    p3_exp = view(workspace, 9 + 52 * batch, (batch, 3))
    p3_sum = view(workspace, 9 + 55 * batch, (batch,))
    p3 = view(workspace, 9 + 56 * batch, (batch, 3))
    log_p3 = view(workspace, 9 + 59 * batch, (batch, 3))
    L = view(workspace, 9 + 62 * batch, (batch,))
    R = view(workspace, 9 + 63 * batch, (batch,))
    if batch <= 10:
        for n in range(batch):
            for k3 in range(3):
                total = real(0.0)
                for i2 in range(8):
                    total = add(total, h2[n, i2] * W3[k3, i2])
                z3[n, k3] = total
    else:
        np.dot(h2, W3.T, z3)
    for n in range(batch):
        for k3 in range(3):
            z3[n, k3] = z3[n, k3] + b3[k3]

        # (8)  p3_max = max(z3[m3], m3)
        best = real(-np.inf)
        for m3 in range(3):
            value = z3[n, m3]
            best = value if value > best or value != value else best
        p3_max[n] = best

        # (9)  p3_exp[m3] = exp(z3[m3] - p3_max)
        for m3 in range(3):
            p3_exp[n, m3] = np.exp(z3[n, m3] - p3_max[n])

        # (10)  p3_sum = sum(p3_exp[m3], m3)
        total = real(0.0)
        for m3 in range(3):
            total = add(total, p3_exp[n, m3])
        p3_sum[n] = total

        # (11)  p3[k3] = p3_exp[k3]/p3_sum
        for k3 in range(3):
            p3[n, k3] = p3_exp[n, k3] / p3_sum[n]

        # (12)  log_p3[k3] = z3[k3] - p3_max - log(p3_sum)
        for k3 in range(3):
            log_p3[n, k3] = z3[n, k3] - p3_max[n] - np.log(p3_sum[n])

        # (13)  L = -sum(y[k3]*log_p3[k3], k3)
        # (14)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*G2[i2, i1]**2/2, i2, i1) +
        #     sum(lam*N2[i2, i1]**2/2, i2, i1) + sum(lam*W3[k3, i2]**2/2, k3, i2) + L
        total = real(0.0)
        for k3 in range(3):
            total = add(total, -y[n, k3] * log_p3[n, k3])
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
    W1 = view(theta, 0, (8, 13))
    b1 = view(theta, 104, (8,))
    h1 = view(workspace, 9, (batch, 8))
    if batch <= 2:
        for n in range(batch):
            for i1 in range(8):
                total = real(0.0)
                for i0 in range(13):
                    total = add(total, x[n, i0] * W1[i1, i0])
                h1[n, i1] = total
    else:
        np.dot(x, W1.T, h1)
    for n in range(batch):
        for i1 in range(8):
            h1[n, i1] = h1[n, i1] + b1[i1]

    # (2)  g2_sum[i2] = sum(G2[i2, i1]*h1[i1], i1)
    # (3)  g2[i2] = logistic(c2[i2] + g2_sum[i2])
    G2 = view(theta, 112, (8, 8))
    g2_sum = view(workspace, 9 + 8 * batch, (batch, 8))
    c2 = view(theta, 176, (8,))
    g2 = view(workspace, 9 + 8 * batch, (batch, 8))
    if batch <= 4:
        for n in range(batch):
            for i2 in range(8):
                total = real(0.0)
                for i1 in range(8):
                    total = add(total, h1[n, i1] * G2[i2, i1])
                g2_sum[n, i2] = total
    else:
        np.dot(h1, G2.T, g2_sum)
    for n in range(batch):
        for i2 in range(8):
            g2[n, i2] = logistic(c2[i2] + g2_sum[n, i2])

    # (4)  n2_sum[i2] = sum(N2[i2, i1]*h1[i1], i1)
    # (5)  n2[i2] = tanh(d2[i2] + n2_sum[i2])
    # (6)  h2[i2] = h1[i2]*(1 - g2[i2]) + g2[i2]*n2[i2]
    N2 = view(theta, 184, (8, 8))
    n2_sum = view(workspace, 9 + 16 * batch, (batch, 8))
    d2 = view(theta, 248, (8,))
    n2 = view(workspace, 9 + 16 * batch, (batch, 8))
    h2 = view(workspace, 9 + 24 * batch, (batch, 8))
    if batch <= 4:
        for n in range(batch):
            for i2 in range(8):
                total = real(0.0)
                for i1 in range(8):
                    total = add(total, h1[n, i1] * N2[i2, i1])
                n2_sum[n, i2] = total
    else:
        np.dot(h1, N2.T, n2_sum)
    for n in range(batch):
        for i2 in range(8):
            n2[n, i2] = np.tanh(d2[i2] + n2_sum[n, i2])
            h2[n, i2] = (real(1.0) - g2[n, i2]) * h1[n, i2] + g2[n, i2] * n2[n, i2]

    # (7)  z3[k3] = sum(W3[k3, i2]*h2[i2], i2) + b3[k3]
    R_sum = real(0.0)
    for i1 in range(8):
        for i0 in range(13):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    for i2 in range(8):
        for i1 in range(8):
            R_sum = add(R_sum, real(0.5) * G2[i2, i1] * G2[i2, i1] * lam)
    for i2 in range(8):
        for i1 in range(8):
            R_sum = add(R_sum, real(0.5) * N2[i2, i1] * N2[i2, i1] * lam)
    W3 = view(theta, 256, (3, 8))
    for k3 in range(3):
        for i2 in range(8):
            R_sum = add(R_sum, real(0.5) * W3[k3, i2] * W3[k3, i2] * lam)
    b3 = view(theta, 280, (3,))
    z3 = view(workspace, 9 + 32 * batch, (batch, 3))
    p3_exp = view(workspace, 0, (3,))
    log_p3 = view(workspace, 3, (3,))
    R = view(workspace, 9 + 35 * batch, (batch,))
    delta_log_p3 = view(workspace, 6, (3,))
    delta_z3 = view(workspace, 9 + 36 * batch, (batch, 3))
    db3 = view(gradient, 280, (3,))
    if batch <= 10:
        for n in range(batch):
            for k3 in range(3):
                total = real(0.0)
                for i2 in range(8):
                    total = add(total, h2[n, i2] * W3[k3, i2])
                z3[n, k3] = total
    else:
        np.dot(h2, W3.T, z3)
    for k3 in range(3):
        db3[k3] = real(0.0)
    for n in range(batch):
        for k3 in range(3):
            z3[n, k3] = z3[n, k3] + b3[k3]

        # (8)  p3_max = max(z3[m3], m3)
        best = real(-np.inf)
        for m3 in range(3):
            value = z3[n, m3]
            best = value if value > best or value != value else best
        p3_max = best

        # (9)  p3_exp[m3] = exp(z3[m3] - p3_max)
        for m3 in range(3):
            p3_exp[m3] = np.exp(z3[n, m3] - p3_max)

        # (10)  p3_sum = sum(p3_exp[m3], m3)
        total = real(0.0)
        for m3 in range(3):
            total = add(total, p3_exp[m3])
        p3_sum = total

        # (12)  log_p3[k3] = z3[k3] - p3_max - log(p3_sum)
        for k3 in range(3):
            log_p3[k3] = z3[n, k3] - p3_max - np.log(p3_sum)

        # (13)  L = -sum(y[k3]*log_p3[k3], k3)
        # (14)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*G2[i2, i1]**2/2, i2, i1) +
        #     sum(lam*N2[i2, i1]**2/2, i2, i1) + sum(lam*W3[k3, i2]**2/2, k3, i2) + L
        total = real(0.0)
        for k3 in range(3):
            total = add(total, -y[n, k3] * log_p3[k3])
        L = total
        R[n] = L + R_sum

        # (15)  delta_L = 1
        delta_L = share

        # (16)  delta_log_p3[k3] = -y[k3]*delta_L
        for k3 in range(3):
            delta_log_p3[k3] = -y[n, k3] * delta_L

        # (17)  delta_p3_sum = -sum(delta_log_p3[k3]/p3_sum, k3)
        total = real(0.0)
        for k3 in range(3):
            total = add(total, -delta_log_p3[k3] / p3_sum)
        delta_p3_sum = total

        # (18)  delta_p3_exp[m3] = delta_p3_sum
        # (19)  delta_z3[k3] = p3_exp[k3]*delta_p3_exp[k3] + delta_log_p3[k3]
        # (21)  db3[k3] = batch_mean(delta_z3[k3])
        for m3 in range(3):
            delta_p3_exp = delta_p3_sum
            delta_z3[n, m3] = p3_exp[m3] * delta_p3_exp + delta_log_p3[m3]
            db3[m3] += delta_z3[n, m3]

    # (20)  dW3[k3, i2] = batch_mean(h2[i2]*delta_z3[k3]) + lam*W3[k3, i2]
    dW3 = view(gradient, 256, (3, 8))
    if batch <= 10:
        for k3 in range(3):
            for i2 in range(8):
                dW3[k3, i2] = real(0.0)
        for n in range(batch):
            for k3 in range(3):
                for i2 in range(8):
                    dW3[k3, i2] += h2[n, i2] * delta_z3[n, k3]
    else:
        np.dot(delta_z3.T, h2, dW3)
    for k3 in range(3):
        for i2 in range(8):
            dW3[k3, i2] = dW3[k3, i2] + W3[k3, i2] * lam

    # (22)  delta_h2[i2] = sum(W3[k3, i2]*delta_z3[k3], k3)
    # (23)  delta_n2[i2] = g2[i2]*delta_h2[i2]
    # (24)  dd2[i2] = batch_mean(delta_n2[i2]*(1 - n2[i2]**2))
    delta_h2 = view(workspace, 9 + 24 * batch, (batch, 8))
    delta_n2 = view(workspace, 0, (8,))
    dd2 = view(gradient, 248, (8,))
    delta_n2_sum = view(workspace, 9 + 39 * batch, (batch, 8))
    if batch <= 10:
        for n in range(batch):
            for i2 in range(8):
                total = real(0.0)
                for k3 in range(3):
                    total = add(total, delta_z3[n, k3] * W3[k3, i2])
                delta_h2[n, i2] = total
    else:
        np.dot(delta_z3, W3, delta_h2)
    for i2 in range(8):
        dd2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(8):
            delta_n2[i2] = g2[n, i2] * delta_h2[n, i2]
            dd2[i2] += (real(1.0) - n2[n, i2] * n2[n, i2]) * delta_n2[i2]

        # (25)  delta_n2_sum[i2] = delta_n2[i2]*(1 - n2[i2]**2)
        for i2 in range(8):
            delta_n2_sum[n, i2] = (real(1.0) - n2[n, i2] * n2[n, i2]) * delta_n2[i2]

    # (26)  dN2[i2, i1] = batch_mean(h1[i1]*delta_n2_sum[i2]) + lam*N2[i2, i1]
    dN2 = view(gradient, 184, (8, 8))
    if batch <= 4:
        for i2 in range(8):
            for i1 in range(8):
                dN2[i2, i1] = real(0.0)
        for n in range(batch):
            for i2 in range(8):
                for i1 in range(8):
                    dN2[i2, i1] += h1[n, i1] * delta_n2_sum[n, i2]
    else:
        np.dot(delta_n2_sum.T, h1, dN2)
    for i2 in range(8):
        for i1 in range(8):
            dN2[i2, i1] = dN2[i2, i1] + N2[i2, i1] * lam

    # (27)  delta_g2[i2] = delta_h2[i2]*(n2[i2] - h1[i2])
    # (28)  dc2[i2] = batch_mean(g2[i2]*delta_g2[i2]*(1 - g2[i2]))
    delta_g2 = view(workspace, 0, (8,))
    dc2 = view(gradient, 176, (8,))
    delta_g2_sum = view(workspace, 9 + 47 * batch, (batch, 8))
    for i2 in range(8):
        dc2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(8):
            delta_g2[i2] = (n2[n, i2] - h1[n, i2]) * delta_h2[n, i2]
            dc2[i2] += (real(1.0) - g2[n, i2]) * g2[n, i2] * delta_g2[i2]

        # (29)  delta_g2_sum[i2] = g2[i2]*delta_g2[i2]*(1 - g2[i2])
        for i2 in range(8):
            delta_g2_sum[n, i2] = (real(1.0) - g2[n, i2]) * g2[n, i2] * delta_g2[i2]

    # (30)  dG2[i2, i1] = batch_mean(h1[i1]*delta_g2_sum[i2]) + lam*G2[i2, i1]
    dG2 = view(gradient, 112, (8, 8))
    if batch <= 4:
        for i2 in range(8):
            for i1 in range(8):
                dG2[i2, i1] = real(0.0)
        for n in range(batch):
            for i2 in range(8):
                for i1 in range(8):
                    dG2[i2, i1] += h1[n, i1] * delta_g2_sum[n, i2]
    else:
        np.dot(delta_g2_sum.T, h1, dG2)
    for i2 in range(8):
        for i1 in range(8):
            dG2[i2, i1] = dG2[i2, i1] + G2[i2, i1] * lam

    # (31)  delta_h1[i1] = sum(G2[i2, i1]*delta_g2_sum[i2], i2) + sum(N2[i2,
    #     i1]*delta_n2_sum[i2], i2) + delta_h2[i1]*(1 - g2[i1])
    # (33)  db1[i1] = batch_mean(delta_h1[i1])
    delta_h1 = view(workspace, 9, (batch, 8))
    db1 = view(gradient, 104, (8,))
    delta_h1_product = view(workspace, 9 + 16 * batch, (batch, 8))
    if batch <= 4:
        for n in range(batch):
            for i1 in range(8):
                total = real(0.0)
                for i2 in range(8):
                    total = add(total, delta_g2_sum[n, i2] * G2[i2, i1])
                delta_h1[n, i1] = total
    else:
        np.dot(delta_g2_sum, G2, delta_h1)
    if batch <= 4:
        for n in range(batch):
            for i1 in range(8):
                total = real(0.0)
                for i2 in range(8):
                    total = add(total, delta_n2_sum[n, i2] * N2[i2, i1])
                delta_h1_product[n, i1] = total
    else:
        np.dot(delta_n2_sum, N2, delta_h1_product)
    for i1 in range(8):
        db1[i1] = real(0.0)
    for n in range(batch):
        for i1 in range(8):
            delta_h1[n, i1] = delta_h1[n, i1] + delta_h1_product[n, i1] + (real(1.0) - g2[n, i1]) * delta_h2[n, i1]
            db1[i1] += delta_h1[n, i1]

    # (32)  dW1[i1, i0] = batch_mean(x[i0]*delta_h1[i1]) + lam*W1[i1, i0]
    dW1 = view(gradient, 0, (8, 13))
    if batch <= 2:
        for i1 in range(8):
            for i0 in range(13):
                dW1[i1, i0] = real(0.0)
        for n in range(batch):
            for i1 in range(8):
                for i0 in range(13):
                    dW1[i1, i0] += x[n, i0] * delta_h1[n, i1]
    else:
        np.dot(delta_h1.T, x, dW1)
    for i1 in range(8):
        for i0 in range(13):
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
    x = carray(pointer(table[1]), (table[5], 13), real)
    y = carray(pointer(table[2]), (table[5], 3), real)
    gradient = carray(pointer(table[3]), (THETA_SIZE,), real)
    workspace = carray(pointer(table[4]), (table[6],), real)
    return backward(theta, x, y, gradient, workspace)
