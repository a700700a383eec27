"""LaTeX -> PDF: pdflatex or xelatex, run in a folder that nothing else sees."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from symbackprop.errors import InputError

PROGRAMS = {"en": "pdflatex", "zh": "xelatex"}

PACKAGES = {
    "pdflatex": "texlive-latex-recommended texlive-latex-extra "
    "texlive-fonts-recommended texlive-pictures lmodern",
    "xelatex": "texlive-xetex texlive-latex-recommended texlive-latex-extra "
    "texlive-pictures texlive-lang-chinese",
}

RUNS = 4  # at most; references and tables settle in two or three
SECONDS = 120  # for each run


def pdf(latex: str, language: str) -> bytes:
    """Set a document.

    Args:
        latex: a complete file.
        language: "en", set by pdflatex, or "zh", set by xelatex.

    Raises:
        InputError: the program is not installed, takes too long, or refuses the file.
    """
    name = PROGRAMS[language]
    program = shutil.which(name)
    if program is None:
        raise InputError(
            f"a PDF needs {name}, which is not installed. On Debian or Ubuntu: apt "
            f"install {PACKAGES[name]}; elsewhere install TeX Live or MiKTeX. Or write "
            "a .html or a .tex file, which need nothing."
        )
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        file = Path(folder) / "document.tex"
        file.write_text(latex, encoding="utf-8")
        settled = None
        for _ in range(RUNS):
            _run(program, file)
            notes = file.with_suffix(".aux").read_bytes()
            if notes == settled:
                break
            settled = notes
        return file.with_suffix(".pdf").read_bytes()


def _run(program: str, file: Path) -> None:
    name = Path(program).name
    command = [
        program,
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        file.name,
    ]
    try:
        done = subprocess.run(
            command,
            cwd=file.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"{name} did not end within {SECONDS} s. Write a .tex file and set it "
            "yourself, or a .html file."
        ) from error
    except OSError as error:
        raise InputError(
            f"{program} cannot be run: {error.strerror or error}."
        ) from error
    if done.returncode != 0:
        raise InputError(
            f"{name} refuses the document: {first_error(done.stdout)} Write a .html "
            "file instead, or install what is missing: on Debian or Ubuntu apt install "
            f"{PACKAGES[name]}."
        )


def first_error(output: bytes) -> str:
    """The first line in which TeX says what is wrong.

    >>> first_error(b"This is pdfTeX\\n! LaTeX Error: File `tikz.sty' not found.\\n")
    "LaTeX Error: File `tikz.sty' not found."
    """
    text = output.decode("utf-8", "replace")
    found = re.search(r"^! (.*)", text, re.MULTILINE)
    if found is None:
        return f"it says {text.strip().splitlines()[-1:]}."
    return found[1].strip().removesuffix(".") + "."
