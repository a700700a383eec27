"""The benchmark: who disagrees is not timed, and what was measured is told truly.

No time is asserted here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.bench import judge, machine, measuring, ours, tables
from symbackprop.bench.cases import CASES, Case, drawn
from symbackprop.bench.outputs import FORMATS, write
from symbackprop.bench.peers import PEERS, products, xla
from symbackprop.bench.problem import Contestant, Outcome, Problem, layers, text
from symbackprop.bench.timing import Times, measure
from symbackprop.cli.command import execute
from symbackprop.errors import InputError

CASE = Case((4, 8, 3), 2)
LEARNT = Case(CASE.widths, 16, samples=200)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory):
    """Kernels of a case, each compiled once."""
    found: dict[object, sb.Kernels] = {}

    def kernels(case: Case, declare=layers) -> sb.Kernels:
        key = (case.widths, case.dtype, declare)
        if key not in found:
            folder = tmp_path_factory.mktemp("generated")
            derivation = sb.derive(declare(case))
            found[key] = sb.compile(derivation, dtype=case.dtype, directory=folder)
        return found[key]

    return kernels


def outcome(contestants, name: str = ours.OURS) -> Outcome:
    return dict(contestants)[name].outcome()


# --- cases ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "",
        "4-3",
        "4,1",
        "4-0-3,1",
        "4-3,0",
        "4-3,1,int8",
        "4-3,1,float32,x",
        "4-3,1e9",
        "4x9999-3,1",
    ],
)
def test_unreadable_case_is_refused(said: str) -> None:
    with pytest.raises(InputError, match="give widths"):
        Case.of(said)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_listed_case_reads_back_from_its_name(case: Case) -> None:
    assert Case.of(str(case)) == case


def test_the_list_spans_what_the_kernels_are_for() -> None:
    assert min(case.parameters for case in CASES) < 50
    assert max(case.parameters for case in CASES) > 600_000
    assert {1, 1024} <= {case.batch for case in CASES}
    assert max(len(case.widths) for case in CASES) > 20


def test_drawn_networks_differ_and_stay_measurable() -> None:
    cases = drawn(40, seed=3)
    assert len({case.widths for case in cases}) == 40
    assert {len(case.widths) for case in cases} >= {3, 4, 5, 6}
    assert len({case.batch for case in cases}) > 5
    assert all(case.parameters <= 700_000 for case in cases)
    assert drawn(5, seed=4) != drawn(5, seed=3)


def test_text_says_what_the_layers_say(compiled) -> None:
    problem = Problem.of(replace(CASE, dtype="float64"))
    by_layers = ours.gradient(problem, compiled(problem.case))
    by_text = ours.gradient(problem, compiled(problem.case, text))
    error = judge.gradients(outcome(by_text), outcome(by_layers), "float64")
    assert error < 1e-14


# --- judge ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["JAX", "JAX inline"])
def test_jax_agrees(name: str, dtype: str, compiled) -> None:
    problem = Problem.of(replace(CASE, dtype=dtype))
    mine = outcome(ours.gradient(problem, compiled(problem.case)))
    theirs = outcome(xla.gradient(problem), name)
    assert judge.gradients(theirs, mine, dtype) < 1e-6


def planted(found: Outcome, part: str, factor: float) -> Outcome:
    """The outcome with one wrong part: the value, or the k-th gradient."""
    assert found.value is not None
    if part == "value":
        return Outcome(found.value * factor, found.arrays)
    arrays = list(found.arrays)
    arrays[int(part)] = arrays[int(part)] * factor
    return Outcome(found.value, tuple(arrays))


@pytest.mark.parametrize("part", ["value", "0", "1", "3"])
@pytest.mark.parametrize("factor", [1.001, -1.0, float("nan")])
def test_planted_bug_is_seen(part: str, factor: float, compiled) -> None:
    problem = Problem.of(CASE)
    mine = outcome(ours.gradient(problem, compiled(CASE)))
    with pytest.raises(judge.DisagreementError, match="differs from ours"):
        judge.gradients(planted(mine, part, factor), mine, "float32")


def test_missing_and_transposed_gradients_are_seen(compiled) -> None:
    problem = Problem.of(CASE)
    mine = outcome(ours.gradient(problem, compiled(CASE)))
    for arrays in (mine.arrays[:-1], (mine.arrays[0].T, *mine.arrays[1:])):
        with pytest.raises(judge.DisagreementError, match=r"expected|shape"):
            judge.gradients(Outcome(mine.value, arrays), mine, "float32")


def test_trainings_are_held_against_each_other(compiled, monkeypatch) -> None:
    problem = Problem.of(LEARNT)
    kernels = compiled(LEARNT)
    mine = outcome(ours.epoch(problem, kernels))
    theirs = outcome(xla.epoch(problem), "JAX inline")
    assert judge.trainings(theirs, mine, problem, kernels) < judge.FALL / 2
    monkeypatch.setattr(xla, "RATE", 1.2 * xla.RATE)
    wrong = outcome(xla.epoch(problem), "JAX inline")
    with pytest.raises(judge.DisagreementError, match="fall of the loss"):
        judge.trainings(wrong, mine, problem, kernels)


def test_wrong_product_is_seen(monkeypatch) -> None:
    problem = Problem.of(CASE)
    names = [name for name, one in products.gradient(problem) if one.outcome()]
    assert names[0] == "products"
    monkeypatch.setattr(np, "dot", lambda left, right, out: out.fill(1.0))
    with pytest.raises(Exception, match="product of"):
        outcome(products.gradient(problem), "products")


# --- measuring ------------------------------------------------------------------------


def fake(found, call=lambda: None) -> types.ModuleType:
    """A peer that computes what `found` makes of our outcome."""
    module = types.ModuleType("symbackprop.bench.peers.fake")

    def gradient(problem: Problem):
        yield "fake", Contestant(call, lambda: found(problem))

    module.gradient = gradient  # type: ignore[attr-defined]
    return module


@pytest.fixture
def run(compiled, monkeypatch, tmp_path: Path):
    """Measure one case with one peer of the test's choice."""

    def measured(peer: types.ModuleType | None) -> dict:
        monkeypatch.setattr(measuring, "PEERS", {"fake peer": "fake"})
        monkeypatch.setitem(sys.modules, "symbackprop.bench.peers.fake", peer)
        monkeypatch.setattr(
            "symbackprop.kernels.compile", lambda *given, **options: compiled(CASE)
        )
        said: list[str] = []
        report = measuring.run([CASE], 0.01, False, str(tmp_path), said.append)
        assert any("4-8-3, 2: timing" in line for line in said)
        (case,) = report["cases"]
        return case

    return measured


def test_peer_that_agrees_is_timed(run, compiled) -> None:
    def found(problem: Problem) -> Outcome:
        return outcome(ours.gradient(problem, compiled(CASE)))

    case = run(fake(found))
    assert case["errors"]["fake"] == 0
    assert case["times"]["fake"]["samples"] >= 5
    assert case["refused"] == case["skipped"] == {}


def test_peer_that_disagrees_is_not_timed(run, compiled) -> None:
    def found(problem: Problem) -> Outcome:
        mine = outcome(ours.gradient(problem, compiled(CASE)))
        return planted(mine, "2", 0.5)

    case = run(fake(found))
    assert "gradient of W2" in case["refused"]["fake"]
    assert "fake" not in case["times"]
    told = tables.terminal({"cases": [case], "machine": machine.machine()})
    assert any("fake: NOT TIMED" in line for line in told)


def test_peer_that_is_absent_or_breaks_is_left_out(run) -> None:
    def breaks(problem: Problem) -> Outcome:
        raise TypeError("no such argument")

    assert run(fake(breaks))["skipped"] == {"fake": "TypeError: no such argument"}
    assert "fake peer" in run(None)["skipped"]


def test_calls_are_taken_in_turn() -> None:
    order: list[str] = []
    calls = {name: lambda name=name: order.append(name) for name in "ABC"}
    found = measure(calls, 0.001)
    assert all(t.low <= t.median <= t.high for t in found.values())
    assert len({t.samples for t in found.values()}) == 1
    runs = [name for k, name in enumerate(order) if order[k - 1 : k] != [name]]
    assert "".join(runs).endswith("ABC" * 5)


def test_other_threads_are_noticed() -> None:
    seen = Times(1.0, 1.0, 1.0, 9, 1.9)
    case = {"skipped": {}, "refused": {}, "case": "", "times": {"JAX": vars(seen)}}
    assert list(tables._absent([case])) == ["JAX: used more than one core."]


# --- outputs --------------------------------------------------------------------------


def stored(**medians: float) -> dict:
    """A report of one case, with these medians in seconds."""
    named = {name.replace("_", " "): seconds for name, seconds in medians.items()}
    times = {
        name: vars(Times(seconds, seconds * 0.9, seconds * 1.1, 9, 1.0))
        for name, seconds in named.items()
    }
    case = {"case": "4-8-3, 2", "times": times, "skipped": {}, "refused": {}}
    return {
        "machine": machine.machine(),
        "cases": [{**case, **measuring.ratios(named)}],
    }


def test_leads_and_share() -> None:
    report = stored(symbackprop=2e-6, JAX=8e-6, JAX_inline=3e-6, products=1e-6)
    (case,) = report["cases"]
    assert case["lead"] == pytest.approx(4)
    assert case["lead_tuned"] == pytest.approx(1.5)
    assert case["share"] == pytest.approx(2)
    assert case["lead_casadi"] is None
    head, row, *_ = tables.terminal(report)
    assert head.split()[-5:] == ["spread", "lead", "tuned", "share", "grad/fwd"]
    assert row.split() == ["4-8-3,", "2", "2", "8", "3", "1", "10%", "4", "1.5", "2"]


def test_lost_rows_are_marked_in_markdown() -> None:
    won = tables.markdown(stored(symbackprop=2e-6, JAX=8e-6))
    lost = tables.markdown(stored(symbackprop=2e-6, JAX=8e-6, CasADi=1e-6))
    assert "4 (JAX)" in won
    assert "lost" not in won
    assert "**0.5 (CasADi), lost**" in lost


@pytest.mark.parametrize("suffix", FORMATS)
def test_report_is_written(suffix: str, tmp_path: Path) -> None:
    if suffix in (".svg", ".png"):
        pytest.importorskip("matplotlib")
    path = tmp_path / f"bench{suffix}"
    report = stored(symbackprop=2e-6, JAX=8e-6, products_in_C=1e-6)
    write(report, path)
    first = path.read_bytes()
    assert len(first) > 100
    if suffix == ".json":
        assert json.loads(first) == {"schema": 1, **report}


def test_picture_without_matplotlib_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert execute(["bench", "-o", "bench.svg"]) == 2
    assert "symbackprop[figures]" in capsys.readouterr().err


def test_machine_is_described() -> None:
    found = machine.machine()
    assert json.loads(json.dumps(found)) == found
    assert found["processor"]
    assert found["blas"]
    assert {"numpy", "numba", "scipy", "jax"} <= found["packages"].keys()


# --- the command ----------------------------------------------------------------------


def test_command_measures_in_a_process_of_one_thread(capfd, tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    line = ["bench", "--case", "3-4-3,1", "--seconds", "0.05", "--text", "--json"]
    assert execute([*line, "-o", str(output)]) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert found["schema"] == 1
    assert found["verb"] == "bench"
    (case,) = found["cases"]
    assert case["declared"] == "text"
    assert case["parameters"] == 31
    assert {ours.OURS, ours.BOUND, "JAX", "products"} <= case["times"].keys()
    assert case["refused"] == {}
    assert found["machine"]["environment"]["OPENBLAS_NUM_THREADS"] == "1"
    assert "Traceback" not in err
    kept = json.loads(output.read_text())
    assert kept["cases"] == found["cases"]


def test_random_networks_are_drawn_by_the_seed(monkeypatch, capsys) -> None:
    import symbackprop.bench

    def measured(cases, *given, **options):
        assert tuple(cases) == drawn(3, seed=5)
        return stored(symbackprop=1e-6)

    monkeypatch.setattr(symbackprop.bench, "bench", measured)
    assert execute(["bench", "--random", "3", "--seed", "5"]) == 0
    assert "share" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "bench.pdf"], "not as .pdf"),
        (["--case", "4-8-3"], "give widths"),
        (["--seconds", "0"], "seconds"),
        (["file.toml"], "unexpected"),
    ],
)
def test_mistake_is_refused_before_anything_is_measured(
    arguments: list[str], said: str, capsys
) -> None:
    assert execute(["bench", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from symbackprop.cli.command import execute;"
        "assert execute(['bench', '--help']) == 0;"
        "print(sorted(set(sys.modules) & {'sympy', 'numpy', 'numba', 'jax', 'torch'}))"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.splitlines()[-1] == "[]"


def test_every_peer_has_a_module() -> None:
    home = Path(measuring.__file__).parent / "peers"
    assert {path.stem for path in home.glob("[a-z]*.py")} == set(PEERS.values())
