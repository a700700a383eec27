"""A page in headless Chromium: what it looks like to a script beside it.

The page stands in a frame of a given width, because a window cannot be as narrow as a
phone; the script around it measures it and leaves what it found in the document.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)

_AROUND = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe id="frame" style="border:0;width:{width}px;height:900px" srcdoc="{page}">
</iframe><pre id="found"></pre>
<script>
frame.onload = () => setTimeout(async () => {{
  const page = frame.contentDocument, view = frame.contentWindow;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  let result;
  try {{ result = await (async () => {{ {script} }})(); }}
  catch (error) {{ result = {{ error: String(error) }}; }}
  found.textContent = "FOUND " + JSON.stringify(result) + " END";
}}, 300);
</script>"""


def ask(page: str, script: str, folder: Path, width: int = 1280) -> dict[str, Any]:
    """Run a script beside a page; `console` holds what the page complained of.

    Args:
        page: the page's text.
        script: the body of an asynchronous function, which sees `page` (the document),
            `view` (its window) and `wait`, and returns an object.
        folder: an empty folder.
        width: of the frame, in CSS pixels.
    """
    assert CHROMIUM is not None
    around = folder / "around.html"
    around.write_text(
        _AROUND.format(width=width, page=html.escape(page), script=script),
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            "--virtual-time-budget=8000",
            "--window-size=1400,1000",
            "--dump-dom",
            around.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    out = done.stdout.decode("utf-8", "replace")
    found = re.search(r'<pre id="found">FOUND (.*) END</pre>', out)
    assert found is not None, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    log = done.stderr.decode("utf-8", "replace")
    result["console"] = [line for line in log.splitlines() if "CONSOLE" in line]
    return result
