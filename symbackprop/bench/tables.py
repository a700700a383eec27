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


# The columns of the README; the quicker counts where there are two.
PEERS = {
    "PyTorch": ("PyTorch", "PyTorch compiled"),
    "JAX": ("JAX",),
    "JAX inline": ("JAX inline",),
    "CasADi": ("CasADi",),
    "scikit-learn": ("scikit-learn",),
}


def markdown(report: Report) -> str:
    """The stored report as the README shows it; rows that we lose are marked.

    The lead is over the best of all peers, a row lost where it is below 1. The bound
    call counts beside CasADi, which is called like it.
    """
    here = ("here", "here, bound")
    heads = ("network, batch", *here, *PEERS, "lead", "times the products")
    lines = [_cells(heads), "|" + "---|" * len(heads)]
    for case in report["cases"]:
        times = {name: entry["median"] for name, entry in case["times"].items()}
        peers = {
            peer: min(times[name] for name in names if name in times)
            for peer, names in PEERS.items()
            if any(name in times for name in names)
        }
        cells = (
            case["case"],
            *(_duration(times.get(name)) for name in ("symbackprop", "bound call")),
            *(_duration(peers.get(peer)) for peer in PEERS),
            _lead(times, peers),
            _ratio(case["share"]),
        )
        lines.append(_cells(cells))
    return "\n".join([*lines, "", _machine(report["machine"])]) + "\n"


def _lead(times: Mapping[str, float], peers: Mapping[str, float]) -> str:
    """By how much the best peer takes longer, and which one it is."""
    ours = times["symbackprop"]
    mine = {**dict.fromkeys(peers, ours), "CasADi": times.get("bound call", ours)}
    leads = {peer: seconds / mine[peer] for peer, seconds in peers.items()}
    if not leads:
        return ""
    best = min(leads, key=lambda peer: leads[peer])
    told = f"{leads[best]:.3g} ({best})"
    return f"**{told}, lost**" if leads[best] < 1 else told


def _machine(machine: Report) -> str:
    packages = ", ".join(f"{name} {v}" for name, v in machine["packages"].items())
    return (
        f"{machine['date']}; {machine['processor']} ({', '.join(machine['flags'])}), "
        f"{machine['cores']} cores, one used; {machine['system']}; Python "
        f"{machine['python']}, {packages}; {'; '.join(machine['blas'])}."
    )


def _absent(cases: Sequence[Report]) -> Iterator[str]:
    """Who did not take part, and why; each reason once."""
    for key, told in (("skipped", "left out"), ("refused", "NOT TIMED, IT DISAGREES")):
        reasons: dict[tuple[str, str], list[str]] = {}
        for case in cases:
            for name, reason in case[key].items():
                reasons.setdefault((name, reason), []).append(case["case"])
        for (name, reason), where in reasons.items():
            many = f"{len(where)} of {len(cases)} cases"
            places = many if len(where) > 3 else "; ".join(where)
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
