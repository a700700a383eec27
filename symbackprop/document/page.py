r"""A chapter -> a complete LaTeX file that fits its page.

English is set by pdflatex, Chinese by xelatex.

Equations stand in `flalign*`, aligned on their relations, with reasons in small grey
type before the numbers. Lines are broken between addends by measured widths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from symbackprop.document.chapter import (
    Block,
    Chapter,
    Code,
    Equations,
    Inline,
    Math,
    NumberedEquation,
    Paragraph,
    Picture,
    Ref,
    Section,
    Table,
)
from symbackprop.document.measure import (
    RELATION,
    breakable,
    widest_part,
    width,
)
from symbackprop.document.routes import clear
from symbackprop.document.symbols import escape, prose

LINE = 43.0  # em in a line, a little less than there are
TAG = 3.0  # em kept free for an equation's number
WIDEST_LEFT = 13.0  # a wider left-hand side stands on a line of its own
ROWS = 40  # equations aligned with one another
FEW_ROWS = 6  # of a table that begins with the paragraph before it on one page
TOGETHER = 8  # lines of a proof that are kept on one page
APART = "6pt"  # more space between proofs than between their lines

HEADS = {
    "en": r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern}
""",
    "zh": r"""\documentclass[fontset=fandol,zihao=5,a4paper]{ctexart}
""",
}
PREAMBLE = r"""\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,amssymb}
\usepackage{array,booktabs,longtable}
\usepackage{graphicx,xcolor,adjustbox}
\usepackage{tikz}
\usetikzlibrary{arrows.meta}
\usepackage[hidelinks]{hyperref}
\allowdisplaybreaks
\predisplaypenalty=10000
\widowpenalty=10000 \clubpenalty=10000 \displaywidowpenalty=10000
\setcounter{LTchunksize}{1000}
\setlength{\LTpre}{6pt}
\setlength{\LTpost}{4pt}
\renewcommand{\arraystretch}{1.25}
\setlength{\parindent}{0pt}
\setlength{\parskip}{5pt plus 1pt}
\setlength{\jot}{5pt}
\emergencystretch=3em
\definecolor{quiet}{gray}{0.45}
% A reason takes no room: it stands flush right, over what the line leaves free.
\newcommand{\reason}[1]{\text{\llap{\footnotesize\color{quiet}#1\enspace}}}
% Begins a new page where fewer lines than these are left.
\newcommand{\need}[1]{\par\begingroup\dimen0=\pagegoal \advance\dimen0-\pagetotal
  \ifdim\dimen0<#1\baselineskip \ifdim\pagetotal>0pt \newpage\fi\fi\endgroup}
"""


def latex(chapter: Chapter) -> str:
    """The whole file."""
    title = inline(chapter.title).replace(r"\_", r"\_\allowbreak{}")
    body = "\n\n".join(section(part) for part in chapter.sections)
    heading = (
        "\\begin{center}\n"
        f"{{\\LARGE\\bfseries\\raggedright {title}\\par}}\n"
        "\\end{center}\n"
        "\\vspace{6pt}\n"
    )
    return (
        f"{HEADS[chapter.language]}{PREAMBLE}\n"
        f"\\begin{{document}}\n\n{heading}\n{body}\n\n\\end{{document}}\n"
    )


def section(part: Section) -> str:
    """A section with its blocks."""
    command = "section" if part.level == 1 else "subsection"
    printed = f"\\need{{8}}\n\\{command}{{{inline(part.title)}}}\n"
    for each, following in zip(part.blocks, [*part.blocks[1:], None], strict=True):
        if isinstance(following, Table) and isinstance(each, Paragraph):
            rows = min(len(following.rows), FEW_ROWS)
            printed += f"\n\n\\need{{{4 + 3 * rows // 2}}}"
        # A display belongs to the paragraph that announces it.
        printed += ("\n" if isinstance(each, Equations) else "\n\n") + block(each)
    return printed


def block(part: Block) -> str:
    """A paragraph, equations or a table."""
    if isinstance(part, Paragraph):
        return inline(part.text)
    if isinstance(part, Table):
        return table(part)
    if isinstance(part, Picture):
        return picture(part)
    return "\n".join(
        aligned(part.rows[start : start + ROWS])
        for start in range(0, len(part.rows), ROWS)
    )


# --- running text --------------------------------------------------------------------


def inline(text: Inline, limit: float = LINE) -> str:
    """Words escaped, mathematics no wider than `limit` em, names in typewriter."""
    printed = []
    for part in text:
        if isinstance(part, Math):
            printed.append(fitted(part.latex, limit, display=False))
        elif isinstance(part, Code):
            name = escape(part.text).replace(r"\_", r"\_\allowbreak{}")
            printed.append(f"\\texttt{{{name}}}")
        elif isinstance(part, Ref):
            printed.append(f"\\hyperlink{{eq.{part.number}}}{{({part.number})}}")
        else:
            printed.append(prose(part))
    return "".join(printed)


def fitted(formula: str, limit: float, display: bool = True) -> str:
    """A formula in dollars, scaled down where it is wider than `limit` em."""
    style = r"\displaystyle " if display else ""
    text = f"${style}{formula}$"
    if width(formula) <= limit:
        return text
    return f"\\resizebox{{{limit:.1f}em}}{{!}}{{{text}}}"


def plain_width(text: Inline) -> float:
    """Width of running text in small type, in em of the page."""
    total = 0.0
    for part in text:
        if isinstance(part, Math):
            total += width(part.latex)
        else:
            words = f"({part.number})" if isinstance(part, Ref) else part
            words = words.text if isinstance(words, Code) else words
            total += 0.52 * len(words)
    return 0.85 * total


def table(part: Table) -> str:
    """A table that may run over pages."""
    columns = "".join(
        f">{{\\raggedright\\arraybackslash}}p{{{share:.2f}\\linewidth}}"
        if share
        else "l"
        for share in part.widths
    )
    limits = [LINE * share or LINE / 4 for share in part.widths]

    def row(cells: Sequence[Inline]) -> str:
        shown = (inline(cell, limit) for cell, limit in zip(cells, limits, strict=True))
        return " & ".join(shown) + r" \\"

    # Formulas of full height would touch one another.
    tall = any(r"\displaystyle" in c.latex for c in _formulas(part.rows))
    apart = "\n\\addlinespace[3pt]\n" if tall else "\n"
    rows = apart.join(row(cells) for cells in part.rows)
    return (
        f"\\begin{{longtable}}[l]{{@{{}}{columns}@{{}}}}\n\\toprule\n"
        f"{row(part.head)}\n\\midrule\n\\endhead\n{rows}\n\\bottomrule\n"
        "\\end{longtable}"
    )


def _formulas(rows: Iterable[Sequence[Inline]]) -> Iterator[Math]:
    for cells in rows:
        for cell in cells:
            yield from (part for part in cell if isinstance(part, Math))


# --- pictures ------------------------------------------------------------------------

COLUMN, ROW = 2.6, 1.6  # cm between the centres of boxes
SHAPES = {
    "data": "rounded corners=2pt, fill=black!4",
    "parameter": "rounded corners=2pt, dashed",
    "computed": "rounded corners=8pt, fill=white",
    "objective": "rounded corners=8pt, very thick",
}


def picture(part: Picture) -> str:
    """A drawing in TikZ, scaled down where it is wider than the line."""
    nodes = "\n".join(
        f"\\node[draw, align=center, inner sep=4pt, {SHAPES[node.kind]}] (n{place}) "
        f"at ({COLUMN * node.column:.1f}, {-ROW * node.row:.1f}) {{${node.latex}$"
        + (f"\\\\[-1pt] \\scriptsize${node.shape}$" if node.shape else "")
        + "};"
        for place, node in enumerate(part.nodes)
    )
    arrows = "\n".join(
        f"\\draw[-Latex, black!60] (n{start}) to{_bent(part, start, end)} "
        + (f"node[auto, font=\\scriptsize] {{${label}$}} " if label else "")
        + f"(n{end});"
        for start, end, label in part.arrows
    )
    return (
        "\\begin{center}\n\\begin{adjustbox}{max width=\\linewidth}\n"
        f"\\begin{{tikzpicture}}\n{nodes}\n{arrows}\n\\end{{tikzpicture}}\n"
        "\\end{adjustbox}\n"
        f"\\par\\smallskip {{\\footnotesize {inline(part.caption)}\\par}}\n"
        "\\end{center}"
    )


def _bent(part: Picture, start: int, end: int) -> str:
    """How an arrow goes round the boxes that stand between its ends."""
    places = [(COLUMN * node.column, -ROW * node.row) for node in part.nodes]
    angle = clear(places, start, end)
    return f"[bend left={angle}]" if angle else ""


# --- equations -----------------------------------------------------------------------


def aligned(rows: Iterable[NumberedEquation]) -> str:
    """Equations aligned on their relations, numbers and reasons at the right."""
    rows = tuple(rows)
    lefts = [width(row.left) for row in rows if width(row.left) <= WIDEST_LEFT]
    left = max(lefts, default=0.0)
    body = ""
    before: list[str] = []
    for proof in proofs(rows):
        lines = [line for row in proof for line in _lines(row, left)]
        if before:
            alone = len(before) == len(lines) == 1
            body += " \\\\\n" if alone else f" \\\\[{APART}]\n"
        for place, line in enumerate(lines):
            # A longer proof leaves no single line behind or ahead.
            free = len(lines) > TOGETHER and 1 < place < len(lines) - 1
            body += (" \\\\\n" if free else " \\\\*\n") * (place > 0) + line
        before = lines
    return f"\\begin{{flalign*}}\n{body}\n\\end{{flalign*}}"


def proofs(rows: Iterable[NumberedEquation]) -> list[list[NumberedEquation]]:
    """Each row that has a left-hand side, with the rows that continue it."""
    found: list[list[NumberedEquation]] = []
    for row in rows:
        if row.left or not found:
            found.append([])
        found[-1].append(row)
    return found


def _lines(row: NumberedEquation, left: float) -> list[str]:
    """The printed lines of one equation; its reason stands on the last with room."""
    room = LINE - TAG - left - RELATION
    lines: list[str] = []
    first = row.left
    if width(row.left) > WIDEST_LEFT:
        inner = fitted(row.left, LINE - TAG)
        lines.append(f"\\text{{\\rlap{{{inner}}}}}&")
        first = ""
    ends: list[float] = [LINE] * len(lines)
    for place, part in enumerate(packed(row.addends, room)):
        relation = f"{first} &{row.relation} " if not place else "&\\quad "
        lines.append(relation + squeezed(part, room))
        ends.append(left + RELATION + min(width(part), room) + (1.0 if place else 0.0))
    number = ""
    if row.number is not None:
        number = f"\\hypertarget{{eq.{row.number}}}{{({row.number})}}"
    tag = f" \\tag*{{{number}}}" if number else ""
    # A reason hangs at the left of the number, so that no other line can push it; it
    # stands on the last line that has room for it.
    reason = f"\\reason{{{inline(row.reason)}}}"
    room = LINE - TAG - plain_width(row.reason) - 1.0
    roomy = [place for place, end in enumerate(ends) if end <= room]
    if not row.reason:
        lines[-1] += f" &&{tag}"
    elif roomy:
        place = roomy[-1]
        last = place == len(lines) - 1
        lines[-1] += "" if last else f" &&{tag}"
        lines[place] += f" && \\tag*{{{reason}{number if last else ''}}}"
    else:
        lines[-1] += f" &&{tag}"
        lines.append(f"& && \\tag*{{{reason}}}")
    return lines


def packed(addends: Sequence[str], room: float) -> list[str]:
    """Addends put together into lines no wider than `room` em.

    `("a", "+ b", "- c")` => `["a + b", "- c"]`
    """
    lines: list[str] = []
    for addend in addends:
        indent = 1.0 if len(lines) > 1 else 0.0
        if lines and width(lines[-1]) + width(addend) + indent <= room:
            lines[-1] += f" {addend}"
        else:
            lines.append(addend)
    return lines


def squeezed(part: str, room: float) -> str:
    """One line's formula; what no plus parts is broken by TeX, or else scaled down."""
    room -= 1.0
    # A sign at the start of a line still stands between two things.
    start = "{}" * part.startswith(("+ ", "- "))
    if width(part) <= room:
        return start + part
    if widest_part(part) > room:
        return f"\\text{{{fitted(part, room)}}}"
    return (
        f"\\parbox[t]{{{room:.1f}em}}{{\\raggedright$\\displaystyle "
        f"{start}{breakable(part)}$}}"
    )
