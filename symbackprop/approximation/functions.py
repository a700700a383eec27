"""Text of the vector functions: scalar code without branches, for loops to inline.

A choice `a if c else b` between numbers at hand becomes a select, and every other step
is arithmetic or a view of bits, so that LLVM computes a loop of them many numbers at
once. All of it also runs as plain Python on NumPy's numbers. Signed zeros, subnormal
numbers, infinities and NaN come out as in C; that needs compilation without the flags
`nsz`, `arcp` and `nnan`, while `contract` may be on or off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from string import Template

import numpy as np

from symbackprop.approximation.coefficients import COEFFICIENTS
from symbackprop.approximation.targets import CENTRE, ERFC_END, MIDDLE

# A name with $ is a function, or a number of the precision; `$polynomial(p, exp, r)`
# stands for the lines that set p to the polynomial of exp at r.
TEXTS: Mapping[str, str] = {
    "split_exponent": '''
def $split_exponent(x, rest):
    """x + rest = (m + n) log 2 + high + low, m and n whole, |high| <= log(2) / 2;

    return high, low, 2^m and 2^n, which hold e^x where 2^(m + n) is no number.
    """
    shifted = x * $log2_e + $shift
    k = shifted - $shift  # so large a shift rounds to whole numbers
    high = x - k * $log_2_high  # exact
    low = rest - k * $log_2_low
    both = real(shifted).view($bits)
    half = both >> $bits(1)
    one = $bits(half << $bits($fraction)).view(real)
    other = $bits((both - half) << $bits($fraction)).view(real)
    return high, low, one, other
''',
    "expm1_reduced": '''
def $expm1_reduced(high, low):
    """e^r - 1 = r + r^2 p(r) for r = high + low; p of $exp_quality."""
    r = high + low
    $exp_at_r
    return high + (low + r * r * p)
''',
    "exp": '''
def $exp(x):
    """e^x = e^r 2^m 2^n, within $exp_ulp ulp."""
    x = $exp_low if x < $exp_low else x
    x = $exp_high if x > $exp_high else x
    high, low, one, other = $split_exponent(x, real(0.0))
    return (real(1.0) + $expm1_reduced(high, low)) * one * other
''',
    "expm1": '''
def $expm1(x):
    """e^x - 1 = 2^m (2^n (e^r - 1) + (2^n - 2^-m)), within $expm1_ulp ulp."""
    inside = $expm1_low if x < $expm1_low else x
    inside = $exp_high if inside > $exp_high else inside
    high, low, one, other = $split_exponent(inside, real(0.0))
    opposite = $bits($bits_of_inverse) - real(one).view($bits)
    inverse = $bits(opposite).view(real)
    y = one * (other * $expm1_reduced(high, low) + (other - inverse))
    return np.copysign(y, x)  # -0 stays -0
''',
    "tanh": '''
def $tanh(x):
    """tanh |x| = -e / (2 + e) with e = exp(-2 |x|) - 1, within $tanh_ulp ulp."""
    e = $expm1(real(-2.0) * np.abs(x))
    return np.copysign(e / (real(2.0) + e), x)
''',
    "split_logarithm": '''
def $split_logarithm(x):
    """x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); return f, k and 2^-k."""
    view = real(x).view($bits)
    exponent = (view + $bits($bits_above_root)) & $bits($bits_of_inf)
    f = $bits(view - exponent + $bits($bits_of_1)).view(real) - real(1.0)
    whole = (exponent >> $bits($fraction)) | $bits($bits_of_whole)
    inverse = $bits($bits($bits_of_inverse) - exponent).view(real)
    return f, $bits(whole).view(real) - $whole, inverse
''',
    "log_reduced": '''
def $log_reduced(f, k):
    """k log 2 + log(1 + f) with log(1 + f) = 2 atanh s, s = f / (2 + f):

    f - f^2/2 + s (f^2/2 + s^2 p(s^2)); p of $log_quality.
    """
    s = f / (real(2.0) + f)
    z = s * s
    $log_at_z
    half = real(0.5) * f * f
    small = s * (half + z * p) + k * $log_2_low
    return k * $log_2_high - ((half - small) - f)
''',
    "log": '''
def $log(x):
    """log x = k log 2 + log(1 + f), within $log_ulp ulp."""
    subnormal = x < $smallest_normal
    f, k, _ = $split_logarithm(x * $scale if subnormal else x)
    y = $log_reduced(f, k - $scale_exponent if subnormal else k)
    y = y if x < real(np.inf) else x
    least = real(-np.inf) if x == real(0.0) else real(np.nan)
    return y if x > real(0.0) else least
''',
    "log1p": '''
def $log1p(x):
    """log(1 + x) = k log 2 + log(1 + f), within $log1p_ulp ulp."""
    u = real(1.0) + x
    f, k, inverse = $split_logarithm(u)
    lost = x - (u - real(1.0))  # by the rounding of u
    y = $log_reduced(f + lost * inverse if x < $large else f, k)
    y = np.copysign(y, x) if x < real(np.inf) else x  # -0 stays -0
    least = real(-np.inf) if x == real(-1.0) else real(np.nan)
    return y if x > real(-1.0) else least
''',
    "erf_reduced": '''
def $erf_reduced(x):
    """erf x = x + x p(x^2) for |x| <= $middle; p of $erf_quality."""
    z = x * x
    $erf_at_z
    return x + x * p
''',
    "erfc_reduced": '''
def $erfc_reduced(x):
    """erfc x = exp(-x^2) p(v) / x with v = (x - $centre) / (x + $centre)

    for x >= $middle; p of $erfc_quality.
    """
    x = $erfc_end if x > $erfc_end else x
    # x^2 = square + rest: a view rounds, and squares of half the bits are exact.
    square = $bits(real(x * x).view($bits) & $bits(-2)).view(real)
    upper = $bits(real(x).view($bits) & $bits($upper_bits)).view(real)
    rest = (upper * upper - square) + (x - upper) * (x + upper)
    v = (x - real($centre)) / (x + real($centre))
    $erfc_at_v
    q = p / x
    high, low, one, other = $split_exponent(-square, -rest)
    return (q + q * $expm1_reduced(high, low)) * one * other
''',
    "erf": '''
def $erf(x):
    """erf x, for |x| > $middle by 1 - erfc |x|, within $erf_ulp ulp."""
    size = np.abs(x)
    near = $erf_reduced(size)
    far = real(1.0) - $erfc_reduced(size)
    return np.copysign(near if size < real($middle) else far, x)
''',
    "erfc": '''
def $erfc(x):
    """erfc x, for |x| < $middle by 1 - erf x, within $erfc_ulp ulp."""
    near = real(1.0) - $erf_reduced(x)
    far = $erfc_reduced(np.abs(x))
    far = real(2.0) - far if x < real(0.0) else far
    return near if np.abs(x) < real($middle) else far
''',
}

# What a result may differ from the truth by, measured in units of its last place.
ULPS: Mapping[str, Mapping[str, float]] = {
    "exp": {"float32": 1.1, "float64": 1.1},
    "expm1": {"float32": 1.7, "float64": 1.7},
    "tanh": {"float32": 2.7, "float64": 2.7},
    "log": {"float32": 0.9, "float64": 0.9},
    "log1p": {"float32": 1.5, "float64": 1.5},
    "erf": {"float32": 2.0, "float64": 2.0},
    "erfc": {"float32": 3.5, "float64": 3.0},
}

NAMES = frozenset(ULPS)

# Bits of the fraction, the exponent of 1 as it is stored, the view's type.
FORMATS = {
    "float32": (23, 127, "np.int32"),
    "float64": (52, 1023, "np.int64"),
}

# Beyond them exp is 0 or infinite, and expm1 is -1.
ENDS = {
    "float32": {"exp_low": -104.0, "exp_high": 89.0, "expm1_low": -20.0},
    "float64": {"exp_low": -746.0, "exp_high": 710.0, "expm1_low": -40.0},
}


def needs(name: str, dtype: str) -> tuple[str, ...]:
    """The functions that a function calls, directly or not, callees first.

    >>> needs("tanh", "float32")
    ('split_exponent', 'expm1_reduced', 'expm1')
    """
    found: dict[str, None] = {}
    for called in _called(name):
        found |= dict.fromkeys((*needs(called, dtype), called))
    return tuple(found)


def text_of(name: str, dtype: str, identifiers: Mapping[str, str]) -> str:
    """The definition of one function in one precision.

    Args:
        name: of `NAMES`, or what one of them `needs`.
        dtype: "float32" or "float64".
        identifiers: what the function and those that it calls are called.

    >>> print(text_of("tanh", "float32", {"tanh": "tanh", "expm1": "expm1"}))
    def tanh(x):
        \"""tanh |x| = -e / (2 + e) with e = exp(-2 |x|) - 1, within 2.7 ulp.\"""
        e = expm1(real(-2.0) * np.abs(x))
        return np.copysign(e / (real(2.0) + e), x)
    <BLANKLINE>
    """
    words = {**_numbers(dtype), **_polynomials(dtype), **identifiers}
    return Template(TEXTS[name]).substitute(words).lstrip("\n")


def _called(name: str) -> Iterator[str]:
    used = Template(TEXTS[name]).get_identifiers()
    return (word for word in used if word in TEXTS and word != name)


def _literal(number: float, dtype: str) -> str:
    """`real(0.1)`: the shortest text that reads back as the number."""
    return f"real({float(str(np.dtype(dtype).type(number)))!r})"


def _numbers(dtype: str) -> dict[str, str]:
    fraction, bias, bits = FORMATS[dtype]
    real = np.dtype(dtype).type
    root = int(real(math.sqrt(0.5)).view(bits.removeprefix("np.")))
    high, low = COEFFICIENTS["log_2", dtype].coefficients
    integers = {
        "fraction": fraction,
        "bits_of_1": bias << fraction,
        "bits_of_inverse": 2 * bias << fraction,
        "bits_of_inf": (2 * bias + 1) << fraction,
        "bits_above_root": (bias << fraction) - root,
        "bits_of_whole": (bias + fraction) << fraction,
    }
    reals = {
        **ENDS[dtype],
        "log2_e": 1 / math.log(2),
        "shift": 1.5 * 2.0**fraction + 2 * bias,
        "whole": 2.0**fraction + bias,
        "log_2_high": high,
        "log_2_low": low,
        "smallest_normal": 2.0 ** (1 - bias),
        "scale": 2.0 ** (fraction + 1),
        "scale_exponent": fraction + 1.0,
        "large": 2.0 ** (fraction + 2),
        "erfc_end": float(ERFC_END[dtype]),
    }
    ulps = {f"{name}_ulp": f"{bounds[dtype]:.1f}" for name, bounds in ULPS.items()}
    return {
        **{name: hex(number) for name, number in integers.items()},
        **{name: _literal(number, dtype) for name, number in reals.items()},
        **ulps,
        "fraction": str(fraction),
        "upper_bits": hex(-(1 << (fraction // 2 + 1))),
        "bits": bits,
        "centre": f"{float(CENTRE)}",
        "middle": f"{float(MIDDLE)}",
    }


def _polynomials(dtype: str) -> dict[str, str]:
    """Horner's rule, a line for each coefficient, under `exp_at_r` and so on."""
    words = {}
    for name, argument in (("exp", "r"), ("log", "z"), ("erf", "z"), ("erfc", "v")):
        fit = COEFFICIENTS[name, dtype]
        first, *rest = (_literal(c, dtype) for c in reversed(fit.coefficients))
        lines = [f"p = {first}", *(f"p = p * {argument} + {c}" for c in rest)]
        words[f"{name}_at_{argument}"] = "\n    ".join(lines)
        degree = len(fit.coefficients) - 1
        bound = f"2^{math.log2(fit.bound):.1f}"
        words[f"{name}_quality"] = f"degree {degree}, within {bound}"
    return words
