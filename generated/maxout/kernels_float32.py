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

workspace holds 20 + 192 * batch numbers; what was in it does not matter.
Arrays are contiguous:

    x: float32 (batch, 8, 8)
    y: int64 (batch)
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
__name__ = 'maxout_kernels_float32_2ef5b272b7f8'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float32

THETA_SIZE = 4930
WORKSPACE_FIXED = 20
WORKSPACE_PER_SAMPLE = 192


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
    if buffer.layout != "C" or buffer.dtype != numba.from_dtype(np.dtype(real)):
        raise numba.TypingError(f"expected contiguous arrays of {real.__name__}")

    def lean(buffer, start, shape):
        address = buffer.ctypes.data + start * buffer.itemsize
        return carray(pointer(address), shape, buffer.dtype)

    return lean


@njit(error_model="numpy", forceinline=True, fastmath={"contract", "nsz", "reassoc"})
def add(total, value):
    """A step of a sum whose order is free, so that it can go in parallel lanes."""
    return total + value


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def split_exponent(x, rest):
    """x + rest = (m + n) log 2 + high + low, m and n whole, |high| <= log(2) / 2;

    return high, low, 2^m and 2^n, which hold e^x where 2^(m + n) is no number.
    """
    shifted = x * real(1.442695) + real(12583166.0)
    k = shifted - real(12583166.0)  # so large a shift rounds to whole numbers
    high = x - k * real(0.69314575)  # exact
    low = rest - k * real(1.4286068e-06)
    both = real(shifted).view(np.int32)
    half = both >> np.int32(1)
    one = np.int32(half << np.int32(23)).view(real)
    other = np.int32((both - half) << np.int32(23)).view(real)
    return high, low, one, other


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def expm1_reduced(high, low):
    """e^r - 1 = r + r^2 p(r) for r = high + low; p of degree 5, within 2^-30.8."""
    r = high + low
    p = real(0.00020070896)
    p = p * r + real(0.0013936332)
    p = p * r + real(0.008333077)
    p = p * r + real(0.04166645)
    p = p * r + real(0.16666667)
    p = p * r + real(0.5)
    return high + (low + r * r * p)


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def exp(x):
    """e^x = e^r 2^m 2^n, within 1.1 ulp."""
    x = real(-104.0) if x < real(-104.0) else x
    x = real(89.0) if x > real(89.0) else x
    high, low, one, other = split_exponent(x, real(0.0))
    return (real(1.0) + expm1_reduced(high, low)) * one * other


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def split_logarithm(x):
    """x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); return f, k and 2^-k."""
    view = real(x).view(np.int32)
    exponent = (view + np.int32(0x4afb0d)) & np.int32(0x7f800000)
    f = np.int32(view - exponent + np.int32(0x3f800000)).view(real) - real(1.0)
    whole = (exponent >> np.int32(23)) | np.int32(0x4b000000)
    inverse = np.int32(np.int32(0x7f000000) - exponent).view(real)
    return f, np.int32(whole).view(real) - real(8388735.0), inverse


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def log_reduced(f, k):
    """k log 2 + log(1 + f) with log(1 + f) = 2 atanh s, s = f / (2 + f):

    f - f^2/2 + s (f^2/2 + s^2 p(s^2)); p of degree 2, within 2^-30.2.
    """
    s = f / (real(2.0) + f)
    z = s * s
    p = real(0.2987082)
    p = p * z + real(0.39977583)
    p = p * z + real(0.66666776)
    half = real(0.5) * f * f
    small = s * (half + z * p) + k * real(1.4286068e-06)
    return k * real(0.69314575) - ((half - small) - f)


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def log(x):
    """log x = k log 2 + log(1 + f), within 0.9 ulp."""
    subnormal = x < real(1.1754944e-38)
    f, k, _ = split_logarithm(x * real(16777216.0) if subnormal else x)
    y = log_reduced(f, k - real(24.0) if subnormal else k)
    y = y if x < real(np.inf) else x
    least = real(-np.inf) if x == real(0.0) else real(np.nan)
    return y if x > real(0.0) else least


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
    W1 = view(theta, 0, (24, 3, 8, 8))
    b1 = view(theta, 4608, (24, 3))
    z1 = view(workspace, 20, (batch, 24, 3))
    a1 = view(workspace, 20 + 72 * batch, (batch, 24))
    a1_argmax = view(workspace, 20 + 96 * batch, (batch, 24))
    np.dot(view(x, 0, (batch, 64)), view(W1, 0, (72, 64)).T, view(z1, 0, (batch, 72)))
    for n in range(batch):
        for i1 in range(24):
            for k1 in range(3):
                z1[n, i1, k1] = z1[n, i1, k1] + b1[i1, k1]

        # (2)  a1[i1] = max(z1[i1, k1], k1)
        for i1 in range(24):
            best = real(-np.inf)
            for k1 in range(3):
                value = z1[n, i1, k1]
                best = value if value > best or value != value else best
            a1[n, i1] = best

        # (3)  a1_argmax[i1] = argmax(z1[i1, k1], k1)
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
    W2 = view(theta, 4680, (10, 24))
    b2 = view(theta, 4920, (10,))
    z2 = view(workspace, 20 + 120 * batch, (batch, 10))
    a2_max = view(workspace, 20 + 130 * batch, (batch,))
    a2_exp_argument = view(workspace, 20 + 131 * batch, (batch, 10))
    if batch <= 1:
        for n in range(batch):
            for i2 in range(10):
                total = real(0.0)
                for i1 in range(24):
                    total = add(total, a1[n, i1] * W2[i2, i1])
                z2[n, i2] = total
    else:
        np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

        # (5)  a2_max = max(z2[k2], k2)
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            best = value if value > best or value != value else best
        a2_max[n] = best

        # (6)  a2_exp[k2] = exp(z2[k2] - a2_max)
        for k2 in range(10):
            a2_exp_argument[n, k2] = z2[n, k2] - a2_max[n]
    a2_exp_argument_flat = view(workspace, 20 + 131 * batch, (10 * batch,))
    a2_exp_flat = view(workspace, 20 + 141 * batch, (10 * batch,))
    for place in range(10 * batch):
        a2_exp_flat[place] = exp(a2_exp_argument_flat[place])

    # (7)  a2_sum = sum(a2_exp[k2], k2)
    a2_exp = view(workspace, 20 + 141 * batch, (batch, 10))
    a2_sum = view(workspace, 20 + 151 * batch, (batch,))
    a2 = view(workspace, 20 + 152 * batch, (batch, 10))
    for n in range(batch):
        total = real(0.0)
        for k2 in range(10):
            total = add(total, a2_exp[n, k2])
        a2_sum[n] = total

        # (8)  a2[i2] = a2_exp[i2]/a2_sum
        for i2 in range(10):
            a2[n, i2] = a2_exp[n, i2] / a2_sum[n]

    # (9)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
    log_a2_log = view(workspace, 20 + 162 * batch, (batch,))
    for place in range(batch):
        log_a2_log[place] = log(a2_sum[place])
    log_a2 = view(workspace, 20 + 163 * batch, (batch, 10))
    L = view(workspace, 20 + 173 * batch, (batch,))
    for n in range(batch):
        for i2 in range(10):
            log_a2[n, i2] = z2[n, i2] - a2_max[n] - log_a2_log[n]

        # (10)  L = -log_a2[y]
        L[n] = -log_a2[n, y[n]]

    mean = 0.0
    for n in range(batch):
        mean = add(mean, L[n])
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
    W1 = view(theta, 0, (24, 3, 8, 8))
    b1 = view(theta, 4608, (24, 3))
    z1 = view(workspace, 20, (batch, 24, 3))
    a1 = view(workspace, 20 + 72 * batch, (batch, 24))
    a1_argmax = view(workspace, 20 + 96 * batch, (batch, 24))
    np.dot(view(x, 0, (batch, 64)), view(W1, 0, (72, 64)).T, view(z1, 0, (batch, 72)))
    for n in range(batch):
        for i1 in range(24):
            for k1 in range(3):
                z1[n, i1, k1] = z1[n, i1, k1] + b1[i1, k1]

        # (2)  a1[i1] = max(z1[i1, k1], k1)
        for i1 in range(24):
            best = real(-np.inf)
            for k1 in range(3):
                value = z1[n, i1, k1]
                best = value if value > best or value != value else best
            a1[n, i1] = best

        # (3)  a1_argmax[i1] = argmax(z1[i1, k1], k1)
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
    W2 = view(theta, 4680, (10, 24))
    b2 = view(theta, 4920, (10,))
    z2 = view(workspace, 20, (batch, 10))
    a2_max = view(workspace, 20 + 10 * batch, (batch,))
    a2_exp_argument = view(workspace, 20 + 11 * batch, (batch, 10))
    if batch <= 1:
        for n in range(batch):
            for i2 in range(10):
                total = real(0.0)
                for i1 in range(24):
                    total = add(total, a1[n, i1] * W2[i2, i1])
                z2[n, i2] = total
    else:
        np.dot(a1, W2.T, z2)
    for n in range(batch):
        for i2 in range(10):
            z2[n, i2] = z2[n, i2] + b2[i2]

        # (5)  a2_max = max(z2[k2], k2)
        best = real(-np.inf)
        for k2 in range(10):
            value = z2[n, k2]
            best = value if value > best or value != value else best
        a2_max[n] = best

        # (6)  a2_exp[k2] = exp(z2[k2] - a2_max)
        for k2 in range(10):
            a2_exp_argument[n, k2] = z2[n, k2] - a2_max[n]
    a2_exp_argument_flat = view(workspace, 20 + 11 * batch, (10 * batch,))
    a2_exp_flat = view(workspace, 20 + 11 * batch, (10 * batch,))
    for place in range(10 * batch):
        a2_exp_flat[place] = exp(a2_exp_argument_flat[place])

    # (7)  a2_sum = sum(a2_exp[k2], k2)
    a2_exp = view(workspace, 20 + 11 * batch, (batch, 10))
    a2_sum = view(workspace, 20 + 21 * batch, (batch,))
    for n in range(batch):
        total = real(0.0)
        for k2 in range(10):
            total = add(total, a2_exp[n, k2])
        a2_sum[n] = total

    # (9)  log_a2[i2] = z2[i2] - a2_max - log(a2_sum)
    log_a2_log = view(workspace, 20 + 22 * batch, (batch,))
    for place in range(batch):
        log_a2_log[place] = log(a2_sum[place])
    log_a2 = view(workspace, 0, (10,))
    L = view(workspace, 20 + 23 * batch, (batch,))
    delta_log_a2 = view(workspace, 10, (10,))
    delta_z2 = view(workspace, 20 + 11 * batch, (batch, 10))
    db2 = view(gradient, 4920, (10,))
    for i2 in range(10):
        db2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(10):
            log_a2[i2] = z2[n, i2] - a2_max[n] - log_a2_log[n]

        # (10)  L = -log_a2[y]
        L[n] = -log_a2[y[n]]

        # (11)  delta_log_a2[y] += -1
        for i2 in range(10):
            delta_log_a2[i2] = real(0.0)
        if 0 <= y[n] < 10:
            delta_log_a2[y[n]] += -share

        # (12)  delta_a2_sum = -sum(delta_log_a2[i2]/a2_sum, i2)
        total = real(0.0)
        for i2 in range(10):
            total = add(total, -delta_log_a2[i2] / a2_sum[n])
        delta_a2_sum = total

        # (13)  delta_a2_exp[k2] = delta_a2_sum
        # (14)  delta_z2[i2] = a2_exp[i2]*delta_a2_exp[i2] + delta_log_a2[i2]
        # (16)  db2[i2] = batch_mean(delta_z2[i2])
        for k2 in range(10):
            delta_a2_exp = delta_a2_sum
            delta_z2[n, k2] = a2_exp[n, k2] * delta_a2_exp + delta_log_a2[k2]
            db2[k2] += delta_z2[n, k2]

    # (15)  dW2[i2, i1] = batch_mean(a1[i1]*delta_z2[i2])
    dW2 = view(gradient, 4680, (10, 24))
    if batch <= 1:
        for i2 in range(10):
            for i1 in range(24):
                dW2[i2, i1] = real(0.0)
        for n in range(batch):
            for i2 in range(10):
                for i1 in range(24):
                    dW2[i2, i1] += a1[n, i1] * delta_z2[n, i2]
    else:
        np.dot(delta_z2.T, a1, dW2)

    # (17)  delta_a1[i1] = sum(W2[i2, i1]*delta_z2[i2], i2)
    delta_a1 = view(workspace, 20 + 24 * batch, (batch, 24))
    delta_z1 = view(workspace, 20 + 120 * batch, (batch, 24, 3))
    db1 = view(gradient, 4608, (24, 3))
    if batch <= 1:
        for n in range(batch):
            for i1 in range(24):
                total = real(0.0)
                for i2 in range(10):
                    total = add(total, delta_z2[n, i2] * W2[i2, i1])
                delta_a1[n, i1] = total
    else:
        np.dot(delta_z2, W2, delta_a1)
    for i1 in range(24):
        for k1 in range(3):
            db1[i1, k1] = real(0.0)
    for n in range(batch):
        # (18)  delta_z1[i1, k1] = delta_a1[i1]*where(k1 == a1_argmax[i1], 1, 0)
        # (20)  db1[i1, k1] = batch_mean(delta_z1[i1, k1])
        for i1 in range(24):
            for k1 in range(3):
                delta_z1[n, i1, k1] = delta_a1[n, i1] * (real(1.0) if real(k1) == a1_argmax[n, i1] else real(0.0))
                db1[i1, k1] += delta_z1[n, i1, k1]

    # (19)  dW1[i1, k1, i0, j0] = batch_mean(x[i0, j0]*delta_z1[i1, k1])
    dW1 = view(gradient, 0, (24, 3, 8, 8))
    np.dot(view(delta_z1, 0, (batch, 72)).T, view(x, 0, (batch, 64)), view(dW1, 0, (72, 64)))

    mean = 0.0
    for n in range(batch):
        mean = add(mean, L[n])
    return mean / batch


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def bound(address):
    """Do as `backward` does, with arrays whose addresses stand in a table.

    The table is given by its own address. It holds int64: the addresses of
    what `backward` takes, in order, then how long batch and workspace are.
    """
    table = carray(pointer(address), (7,), np.int64)
    theta = carray(pointer(table[0]), (THETA_SIZE,), real)
    x = carray(pointer(table[1]), (table[5], 8, 8), real)
    y = carray(pointer(table[2]), (table[5],), np.int64)
    gradient = carray(pointer(table[3]), (THETA_SIZE,), real)
    workspace = carray(pointer(table[4]), (table[6],), real)
    return backward(theta, x, y, gradient, workspace)
