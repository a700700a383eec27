"""A report as a table: for a terminal, and as Markdown for a README."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]

# Contestants in the order of the columns, and their heads on a terminal.
COLUMNS = {
    "symbackprop": "ours",
    "bound call": "bound",
    "forward alone": "forward",
    "PyTorch": "torch",
    "PyTorch compiled": "compiled",
    "JAX": "jax",
    "JAX inline": "inline",
    "CasADi": "casadi",
    "scikit-learn": "sklearn",
    "products": "np.dot",
    "products in C": "gemm",
}

LEGEND = """\
Microseconds for one loss and gradient, or one epoch: medians; `spread` is half of the
distance between the quartiles of ours. bound: ours by `bind`; forward: ours without the
gradient; inline: JAX computing in the calling thread; np.dot, gemm: the bare matrix
products from NumPy and from C. lead: best of PyTorch and JAX over ours; tuned: with
`inline`; casadi: over the quicker of ours and bound; share: ours over the quicker
of the bare products; grad/fwd: ours over forward."""


def terminal(report: Report) -> list[str]:
    """One row a case; contestants that never took part have no column."""
    cases = report["cases"]
    shown = [name for name in COLUMNS if any(name in c["times"] for c in cases)]
    casadi = ["casadi/"] if any(c["lead_casadi"] for c in cases) else []
    head = (
        "network, batch",
        *(COLUMNS[name] for name in shown),
        *("spread", "lead", "tuned", *casadi, "share", "grad/fwd"),
    )
    rows = [head]
    for case in cases:
        times = case["times"]
        rows.append(
            (
                case["case"],
                *(
                    _micro(times[name]["median"]) if name in times else ""
                    for name in shown
                ),
                _spread(times["symbackprop"]),
                *(_ratio(case[key]) for key in ("lead", "lead_tuned")),
                *(_ratio(case["lead_casadi"]) for _ in casadi),
                *(_ratio(case[key]) for key in ("share", "gradient_over_forward")),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        row[0].ljust(widths[0])
        + "".join("  " + c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    return [*lines, "", *LEGEND.splitlines(), *_absent(cases)]


def markdown(report: Report) -> str:
    """The stored report as the README shows it; rows that we lose are marked.

    A row is lost where a peer's median is below ours.
    """
    machine, lines = report["machine"], []
    peers = {
        "PyTorch": ("PyTorch", "PyTorch compiled"),
        "JAX": ("JAX",),
        "JAX inline": ("JAX inline",),
        "CasADi": ("CasADi",),
        "scikit-learn": ("scikit-learn",),
        "products": ("products", "products in C"),
    }
    heads = ("network, batch", "here", *peers, "lead", "times the products")
    lines += [_cells(heads), "|" + "---|" * len(heads)]
    for case in report["cases"]:
        times = {name: entry["median"] for name, entry in case["times"].items()}
        mine = min(times[n] for n in ("symbackprop", "bound call") if n in times)
        lines.append(
            _cells(
                (
                    case["case"],
                    _duration(mine),
                    *(
                        _duration(
                            min((times[n] for n in names if n in times), default=None)
                        )
                        for names in peers.values()
                    ),
                    _lead(mine, times, peers),
                    _ratio(case["share"]),
                )
            )
        )
    packages = ", ".join(f"{name} {v}" for name, v in machine["packages"].items())
    described = (
        f"{machine['date']}; {machine['processor']} ({', '.join(machine['flags'])}), "
        f"{machine['cores']} cores, one used; {machine['system']}; Python "
        f"{machine['python']}, {packages}; {'; '.join(machine['blas'])}."
    )
    return "\n".join([*lines, "", described]) + "\n"


def _lead(
    mine: float, times: Mapping[str, float], peers: Mapping[str, Sequence[str]]
) -> str:
    """How much the best peer takes longer, and who it is."""
    rivals = {
        name: min(times[n] for n in names if n in times)
        for name, names in peers.items()
        if name != "products" and any(n in times for n in names)
    }
    if not rivals:
        return ""
    best = min(rivals, key=lambda name: rivals[name])
    told = f"{rivals[best] / mine:.3g} ({best})"
    return f"**{told}, lost**" if rivals[best] < mine else told


def _absent(cases: Sequence[Report]) -> Iterator[str]:
    """Who did not take part, and why; each reason once."""
    for key, told in (("skipped", "left out"), ("refused", "NOT TIMED, IT DISAGREES")):
        reasons: dict[tuple[str, str], list[str]] = {}
        for case in cases:
            for name, reason in case[key].items():
                reasons.setdefault((name, reason), []).append(case["case"])
        for (name, reason), where in reasons.items():
            places = "everywhere" if len(where) == len(cases) else "; ".join(where)
            yield f"{name}: {told} ({places}): {reason}"
    crowded = {
        name
        for case in cases
        for name, entry in case["times"].items()
        if entry["cores"] > 1.2
    }
    for name in sorted(crowded):
        yield f"{name}: used more than one core."


def _micro(seconds: float) -> str:
    """Three digits or more: 0.0000123 => "12.3"."""
    micro = seconds * 1e6
    return f"{micro:,.0f}" if micro >= 100 else f"{micro:.3g}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    unit, scale = ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
    return f"{seconds * scale:.3g} {unit}"


def _spread(times: Mapping[str, float]) -> str:
    return f"{(times['high'] - times['low']) / times['median'] / 2:.0%}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _cells(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"
