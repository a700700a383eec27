"""Training of digits by adam, in minibatches.

Emitted by symbackprop beside the kernels that it calls. A component of
theta whose slope is g moves at step t = 1, 2, ... by

    m = beta1*m + (1 - beta1)*g
    v = beta2*v + (1 - beta2)*g**2
    m_hat = m/(1 - beta1**t)
    v_hat = v/(1 - beta2**t)
    theta = theta - rate*m_hat/(sqrt(v_hat) + epsilon)

The pieces, for a loop of your own:

    gather(x, y, rows, x_rows, y_rows)
    moved = update(theta, gradient, m, v, step, rate, beta1, beta2, epsilon)
    clip_value(gradient, limit)
    norm = clip_norm(gradient, limit)

theta, gradient, m, v are vectors of float32, of one size;
m and v begin as zeros; what is in gradient and workspace does not matter.
Arrays are contiguous:

    x: float32 (samples, 64)
    y: float32 (samples, 10)
    x_rows: float32 (batch_size, 64)
    y_rows: float32 (batch_size, 10)
"""

import math
import sys
import types

import numpy as np
from numba import njit

from kernels_float32 import backward

# Numba caches the functions under this name, which tells kernels apart.
__name__ = 'digits_training_float32_adam_6ca65a7d6795'
sys.modules.setdefault(__name__, types.ModuleType(__name__))

real = np.float32


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def update(theta, gradient, m, v, step, rate, beta1, beta2, epsilon):
    """One step, counted from 1; whether all that it wrote is finite."""
    if gradient.size != theta.size or m.size != theta.size or v.size != theta.size:
        raise ValueError("theta, gradient and state must be of one size")
    t = float(step)
    lost = False
    for k in range(theta.size):
        g = gradient[k]
        # m = beta1*m + (1 - beta1)*g
        m_new = real(beta1) * m[k] + real(1 - beta1) * g
        # v = beta2*v + (1 - beta2)*g**2
        v_new = real(beta2) * v[k] + real(1 - beta2) * (g * g)
        # m_hat = m/(1 - beta1**t)
        m_hat = m_new / real(1 - beta1 ** t)
        # v_hat = v/(1 - beta2**t)
        v_hat = v_new / real(1 - beta2 ** t)
        # theta = theta - rate*m_hat/(sqrt(v_hat) + epsilon)
        theta_new = theta[k] - real(rate) * m_hat / (math.sqrt(v_hat) + real(epsilon))
        m[k] = m_new
        v[k] = v_new
        theta[k] = theta_new
        lost |= m_new - m_new != real(0)
        lost |= v_new - v_new != real(0)
        lost |= theta_new - theta_new != real(0)
    return not lost


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def gather(x, y, rows, x_rows, y_rows):
    """Copy the samples whose numbers are in `rows`, in their order."""
    if x_rows.shape[0] != rows.size or x_rows.shape[1:] != x.shape[1:]:
        raise ValueError("x_rows must have the shape of x, as long as rows")
    for n in range(rows.size):
        row = rows[n]
        if row < 0 or row >= x.shape[0]:
            raise ValueError("rows must hold numbers of samples")
        for k in range(x_rows.shape[1]):
            x_rows[n, k] = x[row, k]
    if y_rows.shape[0] != rows.size or y_rows.shape[1:] != y.shape[1:]:
        raise ValueError("y_rows must have the shape of y, as long as rows")
    for n in range(rows.size):
        row = rows[n]
        if row < 0 or row >= y.shape[0]:
            raise ValueError("rows must hold numbers of samples")
        for k in range(y_rows.shape[1]):
            y_rows[n, k] = y[row, k]


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def finite(vector):
    """Whether no entry is infinite or NaN."""
    lost = False
    for k in range(vector.size):
        lost |= vector[k] - vector[k] != real(0)
    return not lost


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def clip_value(gradient, limit):
    """g = min(max(g, -limit), limit)"""
    limit = real(limit)
    for k in range(gradient.size):
        g = gradient[k]
        gradient[k] = limit if g > limit else (-limit if g < -limit else g)


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def clip_norm(gradient, limit):
    """g = g * limit / |g| where |g| > limit; returns |g| as it was."""
    squares = 0.0
    for k in range(gradient.size):
        g = np.float64(gradient[k])
        squares += g * g
    norm = math.sqrt(squares)
    if norm > limit:
        share = real(limit / norm)
        for k in range(gradient.size):
            gradient[k] *= share
    return norm


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
def epoch(
    theta, x, y, order, batch_size, first, last, before, rates, limit_value, limit_norm,
    beta1, beta2, epsilon, gradient, m, v, x_rows, y_rows, workspace, total):
    """Minibatches first, ..., last - 1 of an epoch.

    Minibatch b holds the samples order[b * batch_size:(b + 1) * batch_size], the last
    one what is left of them; it is step before + b + 1, at rates[b]. The limits are
    those of clipping, np.inf for none.

    Returns total, to which it added each value times its samples; the number of the
    minibatch that comes next, or at which it stopped; and 0, or what is not finite
    there: 1 value or gradient, 2 theta or what is carried with it.
    """
    if first < 0 or (last - 1) * batch_size >= order.size:
        raise ValueError("order is too short for last")
    if last > rates.size:
        raise ValueError("rates are too short for last")
    for number in range(first, last):
        start = number * batch_size
        count = min(batch_size, order.size - start)
        rows = order[start:start + count]
        gather(x, y, rows, x_rows[:count], y_rows[:count])
        value = backward(theta, x_rows[:count], y_rows[:count], gradient, workspace)
        if not (math.isfinite(value) and finite(gradient)):
            return total, number, 1
        total += value * count
        if limit_value < np.inf:
            clip_value(gradient, limit_value)
        if limit_norm < np.inf:
            if not math.isfinite(clip_norm(gradient, limit_norm)):
                return total, number, 1
        moved = update(
            theta, gradient, m, v, before + number + 1, rates[number], beta1, beta2,
            epsilon)
        if not moved:
            return total, number, 2
    return total, last, 0
