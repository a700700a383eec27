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

workspace holds 8 + 84 * batch numbers; what was in it does not matter.
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
__name__ = 'equations_kernels_float64_246477fe38f8'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float64

THETA_SIZE = 283
WORKSPACE_FIXED = 8
WORKSPACE_PER_SAMPLE = 84
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
def expm1(x):
    """e^x - 1 = 2^m (2^n (e^r - 1) + (2^n - 2^-m)), within 1.7 ulp."""
    inside = real(-40.0) if x < real(-40.0) else x
    inside = real(710.0) if inside > real(710.0) else inside
    high, low, one, other = split_exponent(inside, real(0.0))
    opposite = np.int64(0x7fe0000000000000) - real(one).view(np.int64)
    inverse = np.int64(opposite).view(real)
    y = one * (other * expm1_reduced(high, low) + (other - inverse))
    return np.copysign(y, x)  # -0 stays -0


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def tanh(x):
    """tanh |x| = -e / (2 + e) with e = exp(-2 |x|) - 1, within 2.7 ulp."""
    e = expm1(real(-2.0) * np.abs(x))
    return np.copysign(e / (real(2.0) + e), x)


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
def log(x):
    """log x = k log 2 + log(1 + f), within 0.9 ulp."""
    subnormal = x < real(2.2250738585072014e-308)
    f, k, _ = split_logarithm(x * real(9007199254740992.0) if subnormal else x)
    y = log_reduced(f, k - real(53.0) if subnormal else k)
    y = y if x < real(np.inf) else x
    least = real(-np.inf) if x == real(0.0) else real(np.nan)
    return y if x > real(0.0) else least


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
    h1 = view(workspace, 8, (batch, 8))
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
    g2_sum = view(workspace, 8 + 8 * batch, (batch, 8))
    c2 = view(theta, 176, (8,))
    g2_argument = view(workspace, 8 + 16 * batch, (batch, 8))
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
            g2_argument[n, i2] = c2[i2] + g2_sum[n, i2]
    g2_argument_flat = view(workspace, 8 + 16 * batch, (8 * batch,))
    g2_flat = view(workspace, 8 + 24 * batch, (8 * batch,))
    for place in range(8 * batch):
        g2_flat[place] = logistic(g2_argument_flat[place])

    # (4)  n2_sum[i2] = sum(N2[i2, i1]*h1[i1], i1)
    # (5)  n2[i2] = tanh(d2[i2] + n2_sum[i2])
    N2 = view(theta, 184, (8, 8))
    n2_sum = view(workspace, 8 + 32 * batch, (batch, 8))
    d2 = view(theta, 248, (8,))
    n2_argument = view(workspace, 8 + 40 * batch, (batch, 8))
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
            n2_argument[n, i2] = d2[i2] + n2_sum[n, i2]
    n2_argument_flat = view(workspace, 8 + 40 * batch, (8 * batch,))
    n2_flat = view(workspace, 8 + 48 * batch, (8 * batch,))
    for place in range(8 * batch):
        n2_flat[place] = tanh(n2_argument_flat[place])

    # (6)  h2[i2] = h1[i2]*(1 - g2[i2]) + g2[i2]*n2[i2]
    g2 = view(workspace, 8 + 24 * batch, (batch, 8))
    n2 = view(workspace, 8 + 48 * batch, (batch, 8))
    h2 = view(workspace, 8 + 56 * batch, (batch, 8))
    for n in range(batch):
        for i2 in range(8):
            h2[n, i2] = (real(1.0) - g2[n, i2]) * h1[n, i2] + g2[n, i2] * n2[n, i2]

    # (7)  z3[k3] = sum(W3[k3, i2]*h2[i2], i2) + b3[k3]
    W3 = view(theta, 256, (3, 8))
    b3 = view(theta, 280, (3,))
    z3 = view(workspace, 8 + 64 * batch, (batch, 3))
    p3_max = view(workspace, 8 + 67 * batch, (batch,))
    p3_exp_argument = view(workspace, 8 + 68 * batch, (batch, 3))
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
            p3_exp_argument[n, m3] = z3[n, m3] - p3_max[n]
    p3_exp_argument_flat = view(workspace, 8 + 68 * batch, (3 * batch,))
    p3_exp_flat = view(workspace, 8 + 71 * batch, (3 * batch,))
    for place in range(3 * batch):
        p3_exp_flat[place] = exp(p3_exp_argument_flat[place])

    # (10)  p3_sum = sum(p3_exp[m3], m3)
    p3_exp = view(workspace, 8 + 71 * batch, (batch, 3))
    p3_sum = view(workspace, 8 + 74 * batch, (batch,))
    p3 = view(workspace, 8 + 75 * batch, (batch, 3))
    for n in range(batch):
        total = real(0.0)
        for m3 in range(3):
            total = add(total, p3_exp[n, m3])
        p3_sum[n] = total

        # (11)  p3[k3] = p3_exp[k3]/p3_sum
        for k3 in range(3):
            p3[n, k3] = p3_exp[n, k3] / p3_sum[n]

    # (12)  log_p3[k3] = z3[k3] - p3_max - log(p3_sum)
    log_p3_log = view(workspace, 8 + 78 * batch, (batch,))
    for place in range(batch):
        log_p3_log[place] = log(p3_sum[place])
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
    for k3 in range(3):
        for i2 in range(8):
            R_sum = add(R_sum, real(0.5) * W3[k3, i2] * W3[k3, i2] * lam)
    log_p3 = view(workspace, 8 + 79 * batch, (batch, 3))
    L = view(workspace, 8 + 82 * batch, (batch,))
    R = view(workspace, 8 + 83 * batch, (batch,))
    for n in range(batch):
        for k3 in range(3):
            log_p3[n, k3] = z3[n, k3] - p3_max[n] - log_p3_log[n]

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
    h1 = view(workspace, 8, (batch, 8))
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
    g2_sum = view(workspace, 8 + 8 * batch, (batch, 8))
    c2 = view(theta, 176, (8,))
    g2_argument = view(workspace, 8 + 8 * batch, (batch, 8))
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
            g2_argument[n, i2] = c2[i2] + g2_sum[n, i2]
    g2_argument_flat = view(workspace, 8 + 8 * batch, (8 * batch,))
    g2_flat = view(workspace, 8 + 8 * batch, (8 * batch,))
    for place in range(8 * batch):
        g2_flat[place] = logistic(g2_argument_flat[place])

    # (4)  n2_sum[i2] = sum(N2[i2, i1]*h1[i1], i1)
    # (5)  n2[i2] = tanh(d2[i2] + n2_sum[i2])
    N2 = view(theta, 184, (8, 8))
    n2_sum = view(workspace, 8 + 16 * batch, (batch, 8))
    d2 = view(theta, 248, (8,))
    n2_argument = view(workspace, 8 + 16 * batch, (batch, 8))
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
            n2_argument[n, i2] = d2[i2] + n2_sum[n, i2]
    n2_argument_flat = view(workspace, 8 + 16 * batch, (8 * batch,))
    n2_flat = view(workspace, 8 + 16 * batch, (8 * batch,))
    for place in range(8 * batch):
        n2_flat[place] = tanh(n2_argument_flat[place])

    # (6)  h2[i2] = h1[i2]*(1 - g2[i2]) + g2[i2]*n2[i2]
    g2 = view(workspace, 8 + 8 * batch, (batch, 8))
    n2 = view(workspace, 8 + 16 * batch, (batch, 8))
    h2 = view(workspace, 8 + 24 * batch, (batch, 8))
    for n in range(batch):
        for i2 in range(8):
            h2[n, i2] = (real(1.0) - g2[n, i2]) * h1[n, i2] + g2[n, i2] * n2[n, i2]

    # (7)  z3[k3] = sum(W3[k3, i2]*h2[i2], i2) + b3[k3]
    W3 = view(theta, 256, (3, 8))
    b3 = view(theta, 280, (3,))
    z3 = view(workspace, 8 + 32 * batch, (batch, 3))
    p3_max = view(workspace, 8 + 35 * batch, (batch,))
    p3_exp_argument = view(workspace, 8 + 36 * batch, (batch, 3))
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
            p3_exp_argument[n, m3] = z3[n, m3] - p3_max[n]
    p3_exp_argument_flat = view(workspace, 8 + 36 * batch, (3 * batch,))
    p3_exp_flat = view(workspace, 8 + 36 * batch, (3 * batch,))
    for place in range(3 * batch):
        p3_exp_flat[place] = exp(p3_exp_argument_flat[place])

    # (10)  p3_sum = sum(p3_exp[m3], m3)
    p3_exp = view(workspace, 8 + 36 * batch, (batch, 3))
    p3_sum = view(workspace, 8 + 39 * batch, (batch,))
    for n in range(batch):
        total = real(0.0)
        for m3 in range(3):
            total = add(total, p3_exp[n, m3])
        p3_sum[n] = total

    # (12)  log_p3[k3] = z3[k3] - p3_max - log(p3_sum)
    log_p3_log = view(workspace, 8 + 40 * batch, (batch,))
    for place in range(batch):
        log_p3_log[place] = log(p3_sum[place])
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
    for k3 in range(3):
        for i2 in range(8):
            R_sum = add(R_sum, real(0.5) * W3[k3, i2] * W3[k3, i2] * lam)
    log_p3 = view(workspace, 0, (3,))
    R = view(workspace, 8 + 41 * batch, (batch,))
    delta_log_p3 = view(workspace, 3, (3,))
    delta_z3 = view(workspace, 8 + 36 * batch, (batch, 3))
    db3 = view(gradient, 280, (3,))
    for k3 in range(3):
        db3[k3] = real(0.0)
    for n in range(batch):
        for k3 in range(3):
            log_p3[k3] = z3[n, k3] - p3_max[n] - log_p3_log[n]

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
            total = add(total, -delta_log_p3[k3] / p3_sum[n])
        delta_p3_sum = total

        # (18)  delta_p3_exp[m3] = delta_p3_sum
        # (19)  delta_z3[k3] = p3_exp[k3]*delta_p3_exp[k3] + delta_log_p3[k3]
        # (21)  db3[k3] = batch_mean(delta_z3[k3])
        for m3 in range(3):
            delta_p3_exp = delta_p3_sum
            delta_z3[n, m3] = p3_exp[n, m3] * delta_p3_exp + delta_log_p3[m3]
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
    delta_h2 = view(workspace, 8 + 24 * batch, (batch, 8))
    delta_n2 = view(workspace, 0, (8,))
    dd2 = view(gradient, 248, (8,))
    delta_n2_sum = view(workspace, 8 + 42 * batch, (batch, 8))
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
    delta_g2_sum = view(workspace, 8 + 32 * batch, (batch, 8))
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
    delta_h1 = view(workspace, 8, (batch, 8))
    db1 = view(gradient, 104, (8,))
    delta_h1_product = view(workspace, 8 + 16 * batch, (batch, 8))
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
