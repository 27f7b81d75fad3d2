"""Two row operations that numba's own loops do at a third of the speed, written with LLVM's vector types.

A row of a dose-influence matrix is runs of neighbouring beamlets, ten long or so. As (column, value) pairs each entry
costs a gather from the fluence and a scattered addition to the gradient. Here a row is a list of blocks: a first
column, and the values of the `LANES` columns from there on, with zeros where the run is shorter. A block is then one
multiply-add of vectors, on whatever vectors the processor has.

Numba's cache of the compiled passes looks at the date of `kernels.py` alone: touch it when this file changes.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

#: Columns of a block. With 4 there are more blocks, with 16 more zeros; both were slower on TG-119.
LANES = 8

_COUNT = ir.IntType(64)


def _constant(value: int) -> Any:
    return ir.Constant(_COUNT, value)


_variable: Any = cgutils.alloca_once_value


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Pointer to an array's first element."""
    return context.make_array(kind)(context, builder, value=array).data


def _load(builder: Any, pointer: Any, element: Any) -> Any:
    vector = builder.load(builder.bitcast(pointer, ir.VectorType(element, LANES).as_pointer()))
    vector.align = 4
    return vector


def _block(builder: Any, values: Any, columns: Any, at: Any, wide: bool) -> tuple[Any, Any]:
    """Values of a block, in float64 where `wide`, and its first column."""
    block = _load(builder, builder.gep(values, [builder.mul(at, _constant(LANES))]), ir.FloatType())
    if wide:
        block = builder.fpext(block, ir.VectorType(ir.DoubleType(), LANES))
    return block, builder.zext(builder.load(builder.gep(columns, [at])), _COUNT)


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c, in one instruction where there is one."""
    return builder.fadd(builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


@intrinsic
def row_dot(context: Any, values: Any, columns: Any, x: Any, first: Any, last: Any) -> Any:
    """Product of a row with a vector: blocks first to last; the sum has the precision of `x`.

    Two sums are kept, of even and of odd blocks, so that an addition need not wait for the last one.
    """
    wide = x.dtype == types.float64
    element = ir.DoubleType() if wide else ir.FloatType()
    vector = ir.VectorType(element, LANES)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v, c, xs = (_data(context, builder, kind, array) for kind, array in zip(signature.args, args[:3], strict=False))
        sums = [_variable(builder, ir.Constant(vector, [0.0] * LANES)) for _ in range(2)]

        def step(at: Any, total: Any) -> None:
            block, column = _block(builder, v, c, at, wide)
            part = _load(builder, builder.gep(xs, [column]), element)
            builder.store(_multiply_add(builder, block, part, builder.load(total)), total)

        begin, end = args[3:]
        middle = builder.add(begin, builder.and_(builder.sub(end, begin), _constant(-2)))
        with cgutils.for_range_slice(builder, begin, middle, _constant(2)) as (at, _):
            step(at, sums[0])
            step(builder.add(at, _constant(1)), sums[1])
        with builder.if_then(builder.icmp_signed("<", middle, end)):
            step(middle, sums[0])
        total = builder.fadd(builder.load(sums[0]), builder.load(sums[1]))
        width = LANES
        while width > 1:
            width //= 2
            halves = (
                builder.shuffle_vector(
                    total,
                    ir.Constant(total.type, ir.Undefined),
                    ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(side * width, (side + 1) * width))),
                )
                for side in range(2)
            )
            total = builder.fadd(*halves)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return x.dtype(values, columns, x, types.int64, types.int64), generate


@intrinsic
def row_add(context: Any, values: Any, columns: Any, out: Any, first: Any, last: Any, weight: Any) -> Any:
    """out += weight * row, of blocks first to last; in the precision of `out`."""
    wide = out.dtype == types.float64
    element = ir.DoubleType() if wide else ir.FloatType()
    vector = ir.VectorType(element, LANES)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v, c, sums = (
            _data(context, builder, kind, array) for kind, array in zip(signature.args, args[:3], strict=False)
        )
        factor = ir.Constant(vector, ir.Undefined)
        for lane in range(LANES):
            factor = builder.insert_element(factor, args[5], ir.Constant(ir.IntType(32), lane))
        with cgutils.for_range_slice(builder, args[3], args[4], _constant(1)) as (at, _):
            block, column = _block(builder, v, c, at, wide)
            place = builder.gep(sums, [column])
            total = _multiply_add(builder, block, factor, _load(builder, place, element))
            builder.store(total, builder.bitcast(place, vector.as_pointer())).align = 4
        return context.get_dummy_value()

    return types.void(values, columns, out, types.int64, types.int64, out.dtype), generate
