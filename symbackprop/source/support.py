"""What every emitted file brings along: views of memory, and sums in any order."""

from __future__ import annotations

# `view` in plain Python is what it means; compiled, it is an address and a shape alone,
# since cutting and reshaping an array costs as much as the arithmetic of a small layer.
VIEW = '''\
@intrinsic
def {pointer}(context, address):
    def build(context, builder, signature, arguments):
        kind = context.get_value_type(signature.return_type)
        return builder.inttoptr(arguments[0], kind)

    return numba.types.voidptr(address), build


def {view}(buffer, start, shape):
    """Numbers of a buffer, from `start` on, as an array of that shape."""
    flat = np.ravel(buffer)
    return flat[start:start + math.prod(shape)].reshape(shape)


@overload({view})
def {compiled}(buffer, start, shape):
    if buffer.layout != "C" or buffer.dtype != numba.from_dtype(np.dtype(real)):
        raise numba.TypingError(f"expected contiguous arrays of {{real.__name__}}")

    def lean(buffer, start, shape):
        address = buffer.ctypes.data + start * buffer.itemsize
        return carray({pointer}(address), shape, buffer.dtype)

    return lean
'''

ADD = '''\
@njit(error_model="numpy", forceinline=True, fastmath={{"contract", "nsz", "reassoc"}})
def {add}(total, value):
    """A step of a sum whose order is free, so that it can go in parallel lanes."""
    return total + value
'''

OUTSIDE = """\
@njit(error_model="numpy")
def outside(values, low, high):
    for value in values.flat:
        if value < low or value > high:
            return True
    return False
"""
