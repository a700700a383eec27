"""`python -m symbackprop.bench OPTIONS`: what `alone.bench` starts."""

import sys
from contextlib import suppress

from symbackprop.bench.alone import main

with suppress(KeyboardInterrupt):  # the process that waits for this one tells it
    main(sys.argv[1])
