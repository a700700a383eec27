"""Our kernels beside other libraries: the same gradient, judged, then timed."""

from symbackprop.bench.alone import bench as bench
from symbackprop.bench.cases import CASES as CASES
from symbackprop.bench.cases import Case as Case
from symbackprop.bench.cases import drawn as drawn
from symbackprop.bench.outputs import writable as writable
from symbackprop.bench.outputs import write as write
from symbackprop.bench.tables import terminal as terminal
