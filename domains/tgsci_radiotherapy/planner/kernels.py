"""The passes over the dose-influence matrix, compiled by numba.

Rows are voxels, columns beamlets. A row is runs of neighbouring beamlets, ten long or so. As (column, value) pairs each
entry would cost a gather from the fluence and a scattered addition to the gradient. So a row is stored as blocks: row i
is blocks starts[i] to starts[i + 1], each with its first column and the values of the `LANES` columns from there on,
zeros where the run is shorter. Two operations on a row, `row_dot` and `row_add`, are written with LLVM's vector types,
since numba's own loops do them at a third of the speed: a block is then one multiply-add of vectors, on whatever
vectors the processor has. They stand in the file of the passes that they are compiled into, because numba's cache looks
at the date of that file alone.

Vectors over the columns are `LANES` longer than there are columns: the last block of a row may run over the end.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
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
    """Multiply a row with a vector: blocks first to last; the sum has the precision of `x`.

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


@intrinsic
def add_tile(context: Any, left: Any, right: Any, i: Any, j: Any, rows: Any, out: Any, at: Any, stride: Any) -> Any:
    """Add the product of two blocks of some rows, `LANES` x `LANES`, to a matrix in Fortran order.

    out[at + k stride + lane] += sum_r left[i, r, lane] right[j, r, k]: the sums stay in registers.
    """
    vector = ir.VectorType(ir.FloatType(), LANES)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a, b, target = (_data(context, builder, signature.args[place], args[place]) for place in (0, 1, 5))
        i, j, rows, at, stride = (args[place] for place in (2, 3, 4, 6, 7))
        size = builder.mul(rows, _constant(LANES))
        a, b = builder.gep(a, [builder.mul(i, size)]), builder.gep(b, [builder.mul(j, size)])
        sums = [_variable(builder, ir.Constant(vector, [0.0] * LANES)) for _ in range(LANES)]
        every = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        undefined = ir.Constant(vector, ir.Undefined)
        with cgutils.for_range_slice(builder, _constant(0), size, _constant(LANES)) as (row, _):
            block = _load(builder, builder.gep(a, [row]), ir.FloatType())
            for lane, total in enumerate(sums):
                factor = builder.load(builder.gep(b, [builder.add(row, _constant(lane))]))
                factors = builder.shuffle_vector(
                    builder.insert_element(undefined, factor, ir.Constant(ir.IntType(32), 0)), undefined, every
                )
                builder.store(_multiply_add(builder, block, factors, builder.load(total)), total)
        for lane, total in enumerate(sums):
            place = builder.gep(target, [builder.add(at, builder.mul(stride, _constant(lane)))])
            whole = builder.fadd(_load(builder, place, ir.FloatType()), builder.load(total))
            builder.store(whole, builder.bitcast(place, vector.as_pointer())).align = 4
        return context.get_dummy_value()

    i64 = types.int64
    return types.void(left, right, i64, i64, i64, out, i64, i64), generate


#: To a type checker the functions take numba's own arguments as well.
_row_dot: Any = row_dot
_row_add: Any = row_add
_add_tile: Any = add_tile


@numba.njit(cache=True)
def count_blocks(starts, columns):  # type: ignore[no-untyped-def]
    """Count the blocks that the rows of a CSR matrix need; -1 where a row's columns do not ascend."""
    count = 0
    for i in range(len(starts) - 1):
        k = starts[i]
        while k < starts[i + 1]:
            begin = np.int64(columns[k])
            count += 1
            k += 1
            while k < starts[i + 1] and columns[k] < begin + LANES:
                if columns[k] <= columns[k - 1]:
                    return -1
                k += 1
            if k < starts[i + 1] and columns[k] <= columns[k - 1]:
                return -1
    return count


@numba.njit(cache=True)
def fill_blocks(starts, columns, values, block_starts, block_columns, block_values):  # type: ignore[no-untyped-def]
    """Write the rows of a CSR matrix, columns ascending, as blocks."""
    at = 0
    for i in range(len(starts) - 1):
        block_starts[i] = at
        k = starts[i]
        while k < starts[i + 1]:
            begin = np.int64(columns[k])
            block_columns[at] = begin
            while k < starts[i + 1] and columns[k] < begin + LANES:
                block_values[at * LANES + columns[k] - begin] = values[k]
                k += 1
            at += 1
    block_starts[len(starts) - 1] = at


@numba.njit(cache=True)
def dose(starts, columns, values, first, last, x, out):  # type: ignore[no-untyped-def]
    """out[i] = sum_j values[i, j] x[j] for rows first to last; sums have the precision of `x`."""
    for i in range(first, last):
        out[i] = _row_dot(values, columns, x, starts[i], starts[i + 1])


@numba.njit(cache=True)
def transposed(starts, columns, values, first, last, multipliers, out):  # type: ignore[no-untyped-def]
    """out[j] += sum_i values[i, j] multipliers[i] for rows first to last; rows with multiplier 0 are not read."""
    for i in range(first, last):
        if multipliers[i] != 0:
            _row_add(values, columns, out, starts[i], starts[i + 1], multipliers[i])


@numba.njit(cache=True)
def squares(starts, columns, values, weights, out):  # type: ignore[no-untyped-def]
    """out[j] += sum_i weights[i] values[i, j]^2: the diagonal of a Hessian."""
    for i in range(len(weights)):
        w = weights[i]
        if w != 0:
            for k in range(starts[i], starts[i + 1]):
                for lane in range(LANES):
                    v = values[k * LANES + lane]
                    out[columns[k] + lane] += w * v * v


@numba.njit(cache=True, nogil=True)
def gram(starts, columns, values, rows, ends, weights, part, parts, out):  # type: ignore[no-untyped-def]
    """Add the sum of weights[r] a_r a_r^T over some rows to the lower triangle of a matrix in Fortran order.

    Group after group of rows, up to ends[g] each: the blocks of columns that occur in a group are put together, and
    its rows written out in these. Elements above the diagonal of a block on the diagonal are changed as well. Several
    threads share the work: of the matrix's blocks of columns, counted from its first, only every `parts`-th is done,
    from `part` on. Blocks begin at multiples of LANES in every group, so that no two threads, which may be at different
    groups, ever add to the same element.
    """
    stride = out.shape[0]
    flat = out.T.reshape(out.size)
    touched = np.zeros(stride, np.bool_)
    place = np.zeros(stride, np.int64)
    begins = np.zeros(stride // LANES + 1, np.int64)
    first = 0
    for last in ends:
        many = last - first
        for r in range(first, last):
            for k in range(starts[rows[r]], starts[rows[r] + 1]):
                for lane in range(LANES):
                    if values[k * LANES + lane] != 0:
                        touched[columns[k] + lane] = True
        blocks = 0
        end = -1
        for j in range(stride):
            if touched[j]:
                touched[j] = False
                if j >= end:
                    begins[blocks] = j - j % LANES
                    end = begins[blocks] + LANES
                    blocks += 1
                place[j] = (blocks - 1) * many * LANES + j - begins[blocks - 1]
        left = np.zeros(blocks * many * LANES, np.float32)
        right = np.zeros(blocks * many * LANES, np.float32)
        for r in range(first, last):
            w = np.float32(weights[rows[r]])
            for k in range(starts[rows[r]], starts[rows[r] + 1]):
                for lane in range(LANES):
                    v = values[k * LANES + lane]
                    if v != 0:
                        at = place[columns[k] + lane] + (r - first) * LANES
                        left[at] = v
                        right[at] = w * v
        for j in range(blocks):
            if begins[j] // LANES % parts != part:
                continue
            for i in range(j, blocks):
                _add_tile(left, right, i, j, many, flat, begins[j] * stride + begins[i], stride)
        first = last


@numba.njit(error_model="numpy", cache=True)
def fused(starts, columns, values, rows, stride, x, bends, over, under, gradient):  # type: ignore[no-untyped-def]
    """Sum phi(d_i), d = A x, over every stride-th of some rows, and add the gradient to `gradient`.

    phi(d) = sum_k over[k] max(d - bends[k], 0)^2 + under[k] max(bends[k] - d, 0)^2. Only the row's own dose is needed,
    so that each row is read from memory once, and added to the gradient while it is in the cache; most rows of healthy
    tissue are below their bend and need not be.
    """
    total = 0.0
    for k in range(0, len(rows), stride):
        i = rows[k]
        d = np.float64(_row_dot(values, columns, x, starts[i], starts[i + 1]))
        slope = 0.0
        for b in range(len(bends)):
            t = d - bends[b]
            w = over[b] if t > 0 else under[b]
            total += w * t * t
            slope += 2 * w * t
        if slope != 0:
            _row_add(values, columns, gradient, starts[i], starts[i + 1], gradient.dtype.type(slope))
    return total
