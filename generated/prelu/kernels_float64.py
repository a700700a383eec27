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

workspace holds 1 + 54 * batch numbers; what was in it does not matter.
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
__name__ = 'prelu_kernels_float64_ebe3f0dda117'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float64

THETA_SIZE = 529
WORKSPACE_FIXED = 1
WORKSPACE_PER_SAMPLE = 54
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
def prelu(x, y):
    return x if real(0.0) < x else x * y


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def split_exponent(x, rest):
    """x + rest = (m + n) log 2 + high + low, m and n whole, |high| <= log(2) / 2;

    return high, low, 2^m and 2^n, which hold e^x where 2^(m + n) is no number.
    """
    shifted = x * real(1.4426950408889634) + real(6755399441057790.0)
    k = shifted - real(6755399441057790.0)  # so large a shift rounds to whole numbers
    high = x - k * real(0.6931471805598903)  # exact
    low = rest - k * real(5.497923018708371e-14)
    both = real(shifted).view(np.int64)
    half = both >> np.int64(1)
    one = np.int64(half << np.int64(52)).view(real)
    other = np.int64((both - half) << np.int64(52)).view(real)
    return high, low, one, other


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def expm1_reduced(high, low):
    """e^r - 1 = r + r^2 p(r) for r = high + low; p of degree 10, within 2^-57.9."""
    r = high + low
    p = real(1.6736011663980144e-09)
    p = p * r + real(2.5101869218975848e-08)
    p = p * r + real(2.757110168364116e-07)
    p = p * r + real(2.7557265250850376e-06)
    p = p * r + real(2.4801570697662e-05)
    p = p * r + real(0.0001984126986477775)
    p = p * r + real(0.0013888888897620163)
    p = p * r + real(0.008333333333330209)
    p = p * r + real(0.041666666666647985)
    p = p * r + real(0.16666666666666666)
    p = p * r + real(0.5000000000000001)
    return high + (low + r * r * p)


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def exp(x):
    """e^x = e^r 2^m 2^n, within 1.1 ulp."""
    x = real(-746.0) if x < real(-746.0) else x
    x = real(710.0) if x > real(710.0) else x
    high, low, one, other = split_exponent(x, real(0.0))
    return (real(1.0) + expm1_reduced(high, low)) * one * other


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def logistic(x):
    u1 = exp(-np.abs(x))
    return u1 / (real(1.0) + u1) if x < real(0.0) else real(1.0) / (real(1.0) + u1)


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def split_logarithm(x):
    """x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); return f, k and 2^-k."""
    view = real(x).view(np.int64)
    exponent = (view + np.int64(0x95f619980c433)) & np.int64(0x7ff0000000000000)
    f = np.int64(view - exponent + np.int64(0x3ff0000000000000)).view(real) - real(1.0)
    whole = (exponent >> np.int64(52)) | np.int64(0x4330000000000000)
    inverse = np.int64(np.int64(0x7fe0000000000000) - exponent).view(real)
    return f, np.int64(whole).view(real) - real(4503599627371519.0), inverse


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def log_reduced(f, k):
    """k log 2 + log(1 + f) with log(1 + f) = 2 atanh s, s = f / (2 + f):

    f - f^2/2 + s (f^2/2 + s^2 p(s^2)); p of degree 6, within 2^-59.5.
    """
    s = f / (real(2.0) + f)
    z = s * s
    p = real(0.1479561394505768)
    p = p * z + real(0.15314088438874754)
    p = p * z + real(0.1818356265437351)
    p = p * z + real(0.22222198609636792)
    p = p * z + real(0.2857142874198111)
    p = p * z + real(0.39999999999416813)
    p = p * z + real(0.6666666666666734)
    half = real(0.5) * f * f
    small = s * (half + z * p) + k * real(5.497923018708371e-14)
    return k * real(0.6931471805598903) - ((half - small) - f)


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def log1p(x):
    """log(1 + x) = k log 2 + log(1 + f), within 1.5 ulp."""
    u = real(1.0) + x
    f, k, inverse = split_logarithm(u)
    lost = x - (u - real(1.0))  # by the rounding of u
    y = log_reduced(f + lost * inverse if x < real(1.8014398509481984e+16) else f, k)
    y = np.copysign(y, x) if x < real(np.inf) else x  # -0 stays -0
    least = real(-np.inf) if x == real(-1.0) else real(np.nan)
    return y if x > real(-1.0) else least


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def maximum(x, y):
    return x if x >= y or x != x else y


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def softplus(x):
    return log1p(exp(-np.abs(x))) + maximum(x, real(0.0))


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
    z1 = view(workspace, 1, (batch, 16))
    r1 = view(theta, 496, (16,))
    a1 = view(workspace, 1 + 16 * batch, (batch, 16))
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(16):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = prelu(z1[n, i1], r1[i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    W2 = view(theta, 512, (1, 16))
    b2 = view(theta, 528, (1,))
    z2 = view(workspace, 1 + 32 * batch, (batch, 1))
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

    # (4)  a2[i2] = logistic(z2[i2])
    z2_flat = view(workspace, 1 + 32 * batch, (1 * batch,))
    a2_flat = view(workspace, 1 + 33 * batch, (1 * batch,))
    for place in range(batch):
        a2_flat[place] = logistic(z2_flat[place])

    # (5)  log_a2[i2] = -softplus(-z2[i2])
    log_a2_argument = view(workspace, 1 + 34 * batch, (batch, 1))
    for n in range(batch):
        for i2 in range(1):
            log_a2_argument[n, i2] = -z2[n, i2]
    log_a2_argument_flat = view(workspace, 1 + 34 * batch, (1 * batch,))
    log_a2_softplus_flat = view(workspace, 1 + 35 * batch, (1 * batch,))
    for place in range(batch):
        log_a2_softplus_flat[place] = softplus(log_a2_argument_flat[place])
    log_a2_softplus = view(workspace, 1 + 35 * batch, (batch, 1))
    log_a2 = view(workspace, 1 + 36 * batch, (batch, 1))
    for n in range(batch):
        for i2 in range(1):
            log_a2[n, i2] = -log_a2_softplus[n, i2]

    # (6)  log_1_minus_a2[i2] = -softplus(z2[i2])
    z2_flat = view(workspace, 1 + 32 * batch, (1 * batch,))
    log_1_minus_a2_softplus_flat = view(workspace, 1 + 37 * batch, (1 * batch,))
    for place in range(batch):
        log_1_minus_a2_softplus_flat[place] = softplus(z2_flat[place])
    R_sum = real(0.0)
    for i1 in range(16):
        for i0 in range(30):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    for i2 in range(1):
        for i1 in range(16):
            R_sum = add(R_sum, real(0.5) * W2[i2, i1] * W2[i2, i1] * lam)
    log_1_minus_a2_softplus = view(workspace, 1 + 37 * batch, (batch, 1))
    log_1_minus_a2 = view(workspace, 1 + 38 * batch, (batch, 1))
    L = view(workspace, 1 + 39 * batch, (batch,))
    R = view(workspace, 1 + 40 * batch, (batch,))
    for n in range(batch):
        for i2 in range(1):
            log_1_minus_a2[n, i2] = -log_1_minus_a2_softplus[n, i2]

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
    z1 = view(workspace, 1, (batch, 16))
    r1 = view(theta, 496, (16,))
    a1 = view(workspace, 1 + 16 * batch, (batch, 16))
    np.dot(x, W1.T, z1)
    for n in range(batch):
        for i1 in range(16):
            z1[n, i1] = z1[n, i1] + b1[i1]
            a1[n, i1] = prelu(z1[n, i1], r1[i1])

    # (3)  z2[i2] = sum(W2[i2, i1]*a1[i1], i1) + b2[i2]
    # (5)  log_a2[i2] = -softplus(-z2[i2])
    W2 = view(theta, 512, (1, 16))
    b2 = view(theta, 528, (1,))
    z2 = view(workspace, 1 + 32 * batch, (batch, 1))
    log_a2_argument = view(workspace, 1 + 33 * batch, (batch, 1))
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
            log_a2_argument[n, i2] = -z2[n, i2]
    log_a2_argument_flat = view(workspace, 1 + 33 * batch, (1 * batch,))
    log_a2_softplus_flat = view(workspace, 1 + 33 * batch, (1 * batch,))
    for place in range(batch):
        log_a2_softplus_flat[place] = softplus(log_a2_argument_flat[place])
    log_a2_softplus = view(workspace, 1 + 33 * batch, (batch, 1))
    log_a2 = view(workspace, 1 + 33 * batch, (batch, 1))
    for n in range(batch):
        for i2 in range(1):
            log_a2[n, i2] = -log_a2_softplus[n, i2]

    # (6)  log_1_minus_a2[i2] = -softplus(z2[i2])
    z2_flat = view(workspace, 1 + 32 * batch, (1 * batch,))
    log_1_minus_a2_softplus_flat = view(workspace, 1 + 34 * batch, (1 * batch,))
    for place in range(batch):
        log_1_minus_a2_softplus_flat[place] = softplus(z2_flat[place])
    R_sum = real(0.0)
    for i1 in range(16):
        for i0 in range(30):
            R_sum = add(R_sum, real(0.5) * W1[i1, i0] * W1[i1, i0] * lam)
    for i2 in range(1):
        for i1 in range(16):
            R_sum = add(R_sum, real(0.5) * W2[i2, i1] * W2[i2, i1] * lam)
    log_1_minus_a2_softplus = view(workspace, 1 + 34 * batch, (batch, 1))
    log_1_minus_a2 = view(workspace, 0, (1,))
    R = view(workspace, 1 + 35 * batch, (batch,))
    delta_log_1_minus_a2 = view(workspace, 1 + 36 * batch, (batch, 1))
    delta_log_a2 = view(workspace, 1 + 37 * batch, (batch, 1))
    delta_z2_argument = view(workspace, 1 + 38 * batch, (batch, 1))
    for n in range(batch):
        for i2 in range(1):
            log_1_minus_a2[i2] = -log_1_minus_a2_softplus[n, i2]

        # (7)  L = sum(-y[i2]*log_a2[i2] - log_1_minus_a2[i2]*(1 - y[i2]), i2)
        # (8)  R = sum(lam*W1[i1, i0]**2/2, i1, i0) + sum(lam*W2[i2, i1]**2/2, i2, i1) + L
        total = real(0.0)
        for i2 in range(1):
            total = add(total, -(real(1.0) - y[n, i2]) * log_1_minus_a2[i2] - y[n, i2] * log_a2[n, i2])
        L = total
        R[n] = L + R_sum

        # (9)  delta_L = 1
        delta_L = share

        # (10)  delta_log_1_minus_a2[i2] = delta_L*(y[i2] - 1)
        for i2 in range(1):
            delta_log_1_minus_a2[n, i2] = (y[n, i2] - real(1.0)) * delta_L

        # (11)  delta_log_a2[i2] = -y[i2]*delta_L
        for i2 in range(1):
            delta_log_a2[n, i2] = -y[n, i2] * delta_L

        # (12)  delta_z2[i2] = delta_log_a2[i2]*logistic(-z2[i2]) -
        #     delta_log_1_minus_a2[i2]*logistic(z2[i2])
        for i2 in range(1):
            delta_z2_argument[n, i2] = -z2[n, i2]
    delta_z2_argument_flat = view(workspace, 1 + 38 * batch, (1 * batch,))
    delta_z2_logistic_flat = view(workspace, 1 + 38 * batch, (1 * batch,))
    for place in range(batch):
        delta_z2_logistic_flat[place] = logistic(delta_z2_argument_flat[place])
    z2_flat = view(workspace, 1 + 32 * batch, (1 * batch,))
    delta_z2_logistic_2_flat = view(workspace, 1 + 32 * batch, (1 * batch,))
    for place in range(batch):
        delta_z2_logistic_2_flat[place] = logistic(z2_flat[place])

    # more of (12)
    # (14)  db2[i2] = batch_mean(delta_z2[i2])
    delta_z2_logistic = view(workspace, 1 + 38 * batch, (batch, 1))
    delta_z2_logistic_2 = view(workspace, 1 + 32 * batch, (batch, 1))
    delta_z2 = view(workspace, 1 + 37 * batch, (batch, 1))
    db2 = view(gradient, 528, (1,))
    for i2 in range(1):
        db2[i2] = real(0.0)
    for n in range(batch):
        for i2 in range(1):
            delta_z2[n, i2] = delta_log_a2[n, i2] * delta_z2_logistic[n, i2] - delta_log_1_minus_a2[n, i2] * delta_z2_logistic_2[n, i2]
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
    delta_a1 = view(workspace, 1 + 16 * batch, (batch, 16))
    dr1 = view(gradient, 496, (16,))
    delta_z1 = view(workspace, 1 + 38 * batch, (batch, 16))
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
