"""All methods of differentiation on one program, measured; studies of what they do."""

from symbackprop.contrast.contrasting import contrast as contrast
from symbackprop.contrast.report import Report as Report
