"""A program's objective in JAX, whose automatic differentiation is the judge.

It reads the declared equations alone: every index becomes an axis of broadcast
arrays, a recurrence a Python loop over its steps. It shares no code with the package
but the value types of `equations.py` and the order that `schedule` gives.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import sympy
from sympy import Indexed

from symbackprop.equations import Equation, Name
from symbackprop.schedule import schedule

FUNCTIONS = {
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "log1p": jnp.log1p,
    "expm1": jnp.expm1,
    "sign": jnp.sign,
    "abs": jnp.abs,
    "maximum": jnp.maximum,
    "minimum": jnp.minimum,
    "tanh": jnp.tanh,
    "logistic": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "hard_logistic": lambda x: jnp.clip(0.25 * x + 0.5, 0, 1),
    "hard_tanh": lambda x: jnp.clip(x, -1, 1),
    "relu": jax.nn.relu,
    "leaky_relu": lambda x, r: jnp.where(x > 0, x, r * x),
    "prelu": lambda x, r: jnp.where(x > 0, x, r * x),
    "elu": lambda x, r: jnp.where(x > 0, x, r * jnp.expm1(jnp.minimum(x, 0))),
    "swish": jax.nn.silu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "where": jnp.where,
    "less": jnp.less,
    "less_equal": jnp.less_equal,
    "equal": jnp.equal,
    "both": jnp.logical_and,
    "either": jnp.logical_or,
    "negation": jnp.logical_not,
}


def objective(program, parameters, data):
    """The mean over the batch of the program's objective, traceable by JAX."""
    batched = [t.name for t in program.data if t.batched]
    shared = {n: v for n, v in data.items() if n not in batched}

    def sample(*rows):
        values = {**parameters, **shared, **dict(zip(batched, rows, strict=True))}
        return _Sample(program, values).objective()

    if not batched:
        return sample()
    return jnp.mean(jax.vmap(sample)(*(data[n] for n in batched)))


def value_and_gradient(program, parameters, data):
    return jax.value_and_grad(lambda p: objective(program, p, data))(parameters)


class _Sample:
    """One sample's tensors, computed equation by equation."""

    def __init__(self, program, values):
        self.program = program
        self.values = {n: jnp.asarray(v) for n, v in values.items()}

    def objective(self):
        for item in schedule(self.program):
            self.item(item, {})
        return self.values[self.program.objective]

    def item(self, item, steps):
        if isinstance(item, Equation):
            self.equation(item, steps)
            return
        order = range(item.length)
        for step in order if item.ascending else reversed(order):
            here = {e.tensor: (item.steps[e.tensor], step) for e in item.equations()}
            merged = {t: {**steps.get(t, {}), i: s} for t, (i, s) in here.items()}
            for inner in item.items:
                self.item(inner, {**steps, **merged})

    def equation(self, equation, steps):
        fixed = steps.get(equation.tensor, {})
        shape = self.program.shape(equation.tensor)
        if any(s >= self.program.size(i) for i, s in fixed.items()):
            return
        letters = [i for i in equation.indices if i not in fixed]
        sizes = [self.program.size(i) for i in letters]
        total = jnp.zeros(sizes)
        for term in equation.terms:
            axes = [*letters, *term.bound]
            grid = {
                index: jnp.arange(self.program.size(index)).reshape(
                    [-1 if a == k else 1 for a in range(len(axes))]
                )
                for k, index in enumerate(axes)
            }
            body = self.expression(term.body, {**grid, **fixed})
            full = [self.program.size(i) for i in axes]
            body = jnp.broadcast_to(body, full)
            over = tuple(range(len(letters), len(axes)))
            if equation.reduction == "sum":
                total = total + (body.sum(over) if over else body)
            else:
                flat = body.reshape([*sizes, -1])
                place = {"max": jnp.argmax, "min": jnp.argmin}[equation.reduction](
                    flat, -1
                )
                total = jnp.take_along_axis(flat, place[..., None], -1)[..., 0]
        if fixed:
            old = self.values.get(equation.tensor, jnp.zeros(shape))
            place = tuple(fixed.get(i, slice(None)) for i in equation.indices)
            total = old.at[place].set(total)
        self.values[equation.tensor] = total

    def expression(self, e, grid):
        if isinstance(e, Name):
            if e.kind == "index":
                return grid[e]
            if e.kind == "constant":
                return float(self.program.constants[e.name].value)
            return self.values[e.name]
        if isinstance(e, Indexed):
            return self.read(e, grid)
        arguments = [self.expression(a, grid) for a in e.args]
        if e.is_Add:
            return sum(arguments[1:], arguments[0])
        if e.is_Mul:
            return _product(arguments)
        if e.is_Pow:
            if e.exp.is_Integer:
                return arguments[0] ** int(e.exp)
            return arguments[0] ** arguments[1]
        if isinstance(e, sympy.Number) or (e.is_number and not e.args):
            return float(e)
        return FUNCTIONS[e.func.__name__](*arguments)

    def read(self, e, grid):
        tensor = self.program.tensors[e.base.label.name]
        places = [self.expression(s, grid) for s in e.indices]
        places = [
            p if isinstance(p, int) else jnp.asarray(p).astype(int) for p in places
        ]
        shape = self.program.shape(tensor.name)
        values = self.values.get(tensor.name, jnp.zeros(shape))
        if not tensor.zero_outside:
            return values[tuple(places)]
        inside = jnp.array(True)
        for place, size in zip(places, shape, strict=True):
            inside = inside & (place >= 0) & (place < size)
        clipped = tuple(
            jnp.clip(p, 0, s - 1) for p, s in zip(places, shape, strict=True)
        )
        return jnp.where(inside, values[clipped], 0.0)


def _product(factors):
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result
