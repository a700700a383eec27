"""What must not matter to a verdict, and what a derivation says of itself.

Names and letters do not matter, nor whether layers or a text declare the network. Each
adjoint equation of a derivation is a true claim; spoilt in one place it is judged as
numbers judge it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from claims_corpus import CASES, Case
from claims_judge import judge
from claims_oracle import FOLDS, FUNCTIONS, Model
from claims_programs import DECLARED, NETWORKS, TEXTS, Declared
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import programs

import symbackprop as sb
from symbackprop.equations import Equation, Term, tensor_of
from symbackprop.formula import formula

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
GRAMMAR = {*FUNCTIONS, *FOLDS, "D", "o", "I", "diag", "if", "and", "or", "not", "T"}
GREEK = ("rho", "xi", "mu", "eta", "tau")
SAMPLE = random.Random(5).sample([c for c in CASES if c.program], 60)


def of(program: str) -> list[Case]:
    return [case for case in SAMPLE if case.program == program]


# Names


def new_names(declared: Declared) -> dict[str, str]:
    """Other names for everything, in another order of the alphabet."""
    old = [*declared["axes"], *declared["parameters"], *declared["data"]]
    old += [*(declared.get("constants") or {})]
    old += re.findall(
        r"^\s*([A-Za-z]\w*)\s*(?:\[[^\]]*\])?\s*=", declared["equations"], re.M
    )
    old = list(dict.fromkeys(old))
    made = [
        f"{GREEK[n % len(GREEK)]}_{'abcdefgh'[n // len(GREEK)]}"
        for n in range(len(old))
    ]
    random.Random(3).shuffle(made)
    return dict(zip(old, made, strict=True))


def renamed(text: str, names: dict[str, str]) -> str:
    return WORD.sub(lambda found: names.get(found[0], found[0]), text)


def declared_anew(declared: Declared, names: dict[str, str]) -> Declared:
    """A declaration in which every name is another one."""

    def shapes(of: dict[str, str]) -> dict[str, str]:
        return {names[n]: renamed(letters, names) for n, letters in of.items()}

    def listed(key: str) -> tuple[str, ...]:
        return tuple(names[n] for n in declared.get(key, ()))

    return {
        "equations": renamed(declared["equations"], names),
        "axes": {names[a]: size for a, size in declared["axes"].items()},
        "parameters": shapes(declared["parameters"]),
        "data": shapes(declared["data"]),
        "constants": {
            names[n]: v for n, v in (declared.get("constants") or {}).items()
        },
        **{key: listed(key) for key in ("integers", "batched", "zero_outside")},
        "objective": names[declared["objective"]],
        "name": "renamed",
    }


def claimed_anew(claim: str, declared: Declared, names: dict[str, str]) -> str:
    """A claim about the renamed program, with other letters too.

    Names that say what they mean by a number are written out: `delta1` as `delta_z1`,
    `f1'` as the function.
    """
    functions = re.findall(r"^\s*(a\d*)\[.*\] = (\w+)\(z", declared["equations"], re.M)
    for tensor, function in functions:
        claim = re.sub(rf"\bf{tensor[1:]}('?\()", rf"{function}\1", claim)
    claim = re.sub(r"\bdelta(\d*)\b", r"delta_z\1", claim)
    claim = re.sub(
        r"\bdelta_(\w+)", lambda found: f"delta_{names.get(found[1], found[1])}", claim
    )
    tensors = {n: m for n, m in names.items() if n not in declared["axes"]}
    taken = {*tensors, *tensors.values(), *GRAMMAR}
    letters = {
        word: f"{word}q"
        for word in WORD.findall(claim)
        if word not in taken and not word.startswith("delta_")
    }
    return renamed(claim, {**letters, **tensors})


@pytest.mark.parametrize("program", DECLARED)
def test_names_do_not_matter(program: str) -> None:
    declared = DECLARED[program]
    names = new_names(declared)
    other = sb.Program(**declared_anew(declared, names))
    for case in of(program):
        claim = claimed_anew(case.claim, declared, names)
        verdict = sb.verify(other, claim, layout=case.layout)
        assert verdict.kind in case.kinds, f"{case.claim}  =>  {claim}: {verdict}"


@pytest.mark.parametrize("program", DECLARED)
def test_letters_do_not_matter(program: str) -> None:
    """Letters of a claim, free and bound, are its own: even those of other axes."""
    declared = DECLARED[program]
    tensors = new_names(declared).keys() - declared["axes"].keys()
    subject = NETWORKS.get(program) or sb.Program(**declared)
    for case in of(program):
        words = dict.fromkeys(re.findall(r"(?<![\w.'])[a-z](?!\w|')", case.claim))
        letters = [w for w in words if w not in {*tensors, *GRAMMAR}]
        others = [*letters[1:], *letters[:1]]
        claim = renamed(case.claim, dict(zip(letters, others, strict=True)))
        verdict = sb.verify(subject, claim, layout=case.layout)
        assert verdict.kind in case.kinds, f"{case.claim}  =>  {claim}: {verdict}"


@pytest.mark.parametrize("program", NETWORKS)
def test_a_network_as_text(program: str) -> None:
    text = sb.Program(**DECLARED[program])
    for case in of(program):
        assert sb.verify(text, case.claim, layout=case.layout).kind in case.kinds


# A derivation's own equations


def claims_of(derivation: sb.Derivation) -> Iterator[str]:
    """Its adjoint equations of one sample, as far as the grammar of claims has them.

    `dW[i, j] = batch_mean(x[j]*delta_z[i])` => `D(L, W[i, j]) = x[j]*delta_z[i]`.
    Guards are left out, as error terms are zero outside.
    """
    system, program = derivation.system, derivation.program
    written = program.tensors.keys() - set(program.split)
    known = {a for a, tensor in derivation.adjoint_of.items() if tensor in written}
    for equation in derivation.adjoint:
        if {equation.tensor, *map(tensor_of, equation.reads())} - known - written:
            continue
        if equation.tensor not in known or equation.reduction != "sum":
            continue
        if any(t.target not in (None, equation.indices) for t in equation.terms):
            continue
        terms = tuple(Term(t.body, t.bound) for t in equation.terms)
        plain = Equation(equation.tensor, equation.indices, terms)
        left, right = formula(plain, system).split(" = ", 1)
        name, *rest = left.split("[", 1)
        tensor = "[".join([derivation.adjoint_of[name], *rest])
        yield f"D({derivation.program.objective}, {tensor}) = {right}"


def mutants(claim: str, draw: random.Random) -> Iterator[str]:
    """The claim spoilt in one place, in a few ways."""
    left, right = claim.split(" = ", 1)
    yield f"{left} = 2*({right})"
    yield f"{left} = -({right})"
    signs = [m.start() for m in re.finditer(r"(?<=[\w)\]] )[+-](?= )", right)]
    if signs:
        at = draw.choice(signs)
        other = "-" if right[at] == "+" else "+"
        yield f"{left} = {right[:at]}{other}{right[at + 1 :]}"
    pairs = list(re.finditer(r"(\w+)\[(\w+), (\w+)\]", right))
    if pairs:
        found = draw.choice(pairs)
        turned = f"{found[1]}[{found[3]}, {found[2]}]"
        yield f"{left} = {right[: found.start()]}{turned}{right[found.end() :]}"
    shifts = list(re.finditer(r" [+-] (\d)\]", right))
    if shifts:
        found = draw.choice(shifts)
        other = found[0].translate({43: "-", 45: "+"})
        yield f"{left} = {right[: found.start()]}{other}{right[found.end() :]}"
    reads = list(re.finditer(r"(\w+)(?=\[)", right))
    if reads:
        found = draw.choice(reads)
        for name in dict.fromkeys(m[0] for m in reads):
            if name != found[0]:
                yield f"{left} = {right[: found.start()]}{name}{right[found.end() :]}"
                break


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(programs(blocks=3), st.integers(0, 99))
def test_a_derivation_claims_what_holds(declared: Declared, seed: int) -> None:
    held_against_numbers(declared, seed, 6)


@pytest.mark.parametrize("program", TEXTS)
def test_equations_of_the_programs(program: str) -> None:
    held_against_numbers(TEXTS[program], 1, 3)


def held_against_numbers(declared: Declared, seed: int, most: int) -> None:
    """Claims of a derivation hold; mutants are judged as numbers judge them."""
    program = sb.Program(**declared)
    model = Model(declared)
    draw = random.Random(seed)
    claims = list(claims_of(sb.derive(program)))
    for claim in draw.sample(claims, min(len(claims), most)):
        verdict = sb.verify(program, claim)
        assert verdict.kind == "holds", f"{declared['equations']}\n{claim}\n{verdict}"
        mutant = draw.choice(list(mutants(claim, draw)))
        found = sb.verify(program, mutant).kind
        seen = judge(model, mutant)
        assert found == seen, f"{declared['equations']}\n{mutant}"
