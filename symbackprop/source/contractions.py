"""Products of matrices: loops where they are small, else calls of BLAS."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.equations import Equation
from symbackprop.source.blocks import Plan
from symbackprop.source.loops import Loops, indented
from symbackprop.source.products import SAMPLE, Matrix, Product, few


@dataclass
class Contractions:
    """Writes products of matrices.

    Attributes:
        loops: writes loops.
        parts: the name of each product after a tensor's first, see `part_name`.
        longest_few: the longest batch of which some product is computed by loops.
    """

    loops: Loops
    parts: dict[tuple[str, int], str] = field(default_factory=dict)
    longest_few: int = 0

    def part_name(self, tensor: str, number: int) -> str:
        """The name of a tensor's product that is added later: `z1_product`."""
        key = (tensor, number)
        if key not in self.parts:
            self.parts[key] = self.loops.printer.names.internal(f"{tensor}_product")
            self.loops.printer.names.of[self.parts[key]] = self.parts[key]
        return self.parts[key]

    def part_names(self, planned: Plan) -> list[tuple[int, str]]:
        """Names of the products that do not lie in the tensor itself, by place."""
        first = 1 if planned.direct is not None else 0
        return [
            (number, self.part_name(planned.equation.tensor, number))
            for number in range(first, len(planned.products))
        ]

    def products(self, planned: Plan) -> list[str]:
        """Every product of a plan, before anything else of it is computed."""
        names = dict(self.part_names(planned))
        lines: list[str] = []
        for number, product in enumerate(planned.products):
            out = names.get(number, self.loops.name(planned.equation.tensor))
            most = few(product, planned.equation, self.loops.system)
            if not most:
                lines += self._called(product, out)
                continue
            looped = self._looped(product, planned.equation, out)
            if product.runs_over_batch:
                called = self._called(product, out)
                self.longest_few = max(self.longest_few, most)
                lines += [f"if {self.loops.batch} <= {most}:", *indented(looped)]
                lines += ["else:", *indented(called)]
            else:
                lines += looped
        return lines

    def _looped(self, product: Product, equation: Equation, out: str) -> list[str]:
        """A product as plain loops."""
        letters = self.loops.named(equation.indices, {})
        element = self.loops.element(equation, letters)
        element = out + element[len(self.loops.name(equation.tensor)) :]
        if product.average:
            zero = [f"{element} = real(0.0)"]
            body = self.loops.sum(product.term, letters, [f"{element} += {{}}"])
            body = self.loops.over(equation.indices, letters, body)
            start = self.loops.over(equation.indices, letters, zero)
            return start + self.loops.over_batch(body)
        body = self.loops.totalled([product.term], letters)
        body.append(f"{element} = {self.loops.total}")
        lines = self.loops.over(equation.indices, letters, body)
        batched = self.loops.batched(equation.tensor)
        return self.loops.over_batch(lines) if batched else lines

    def _called(self, product: Product, out: str) -> list[str]:
        """A product as a call of BLAS, on views and never on copies."""
        shared = product.out.shared
        letters = self.loops.named([s for s in shared if s != SAMPLE], {})
        prefix = [
            self.loops.printer.sample if s == SAMPLE else letters[s] for s in shared
        ]
        left, right, result = (
            self._matrix(matrix, name, prefix)
            for matrix, name in (
                (product.left, self.loops.name(product.left.tensor)),
                (product.right, self.loops.name(product.right.tensor)),
                (product.out, out),
            )
        )
        body = [f"np.dot({left}, {right}, {result})"]
        body = self.loops.over([s for s in shared if s != SAMPLE], letters, body)
        return self.loops.over_batch(body) if SAMPLE in shared else body

    def _matrix(self, matrix: Matrix, name: str, prefix: list[str]) -> str:
        """`W1.T`, `view(x[n], 0, (4, 6))`: a view, never a copy."""
        text = f"{name}[{', '.join(prefix)}]" if prefix else name
        sides = [self._size(s) for s in (matrix.rows, matrix.columns) if s is not None]
        if matrix.transposed:
            sides.reverse()
        if matrix.reshaped:
            shape = ", ".join(sides) + ("," if len(sides) == 1 else "")
            text = f"{self.loops.view}({text}, 0, ({shape}))"
        return text + (".T" if matrix.transposed else "")

    def _size(self, size: int) -> str:
        if size >= 0:
            return str(size)
        return self.loops.batch if size == -1 else f"{-size} * {self.loops.batch}"
