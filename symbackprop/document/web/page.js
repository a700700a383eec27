// The page's own script: formulas, the cards of equations, light and dark.
"use strict";
(() => {
  // --- formulas: LaTeX in the page => MathML ---------------------------------------

  // Pieces of a display are set in display style, but flow and wrap like words.
  function draw(place) {
    const display = place.dataset.display !== undefined;
    const source = place.textContent;
    // An exponent of a parenthesis stands as high as that of a letter.
    const tuned = source.replace(/(?<!\\[bB]igg?r)\)\^/g, "){}^");
    temml.render(tuned, place, {
      annotate: true,
      displayMode: display,
      throwOnError: false,
      trust: false,
      wrap: display ? "none" : "tex",
    });
    const math = place.querySelector("math");
    if (display && math) {
      math.removeAttribute("display");
      math.removeAttribute("style");
      math.classList.remove("tml-display");
      math.setAttribute("displaystyle", "true");
    }
    if (math) space(math, source.startsWith("{}"));
    place.classList.replace("tex", "math");
  }

  // Spacing that the parts of a formula cannot know of.
  function space(math, continued) {
    const signs = math.querySelectorAll("mo");
    for (const sign of signs) {
      const room = { "…": "0.1em", "⋯": "0.1em", "(": "0em", ")": "0em" }[sign.textContent];
      if (room === undefined) continue;
      sign.setAttribute("lspace", room);
      sign.setAttribute("rspace", room);
      // A tall parenthesis carries much white on its inner side.
      const inner = sign.textContent === "(" ? "marginRight" : "marginLeft";
      if (sign.hasAttribute("minsize")) sign.style[inner] = "-0.1em";
    }
    // The sign before an addend stands between two things.
    if (continued && signs.length && /^[+−]$/.test(signs[0].textContent)) {
      signs[0].setAttribute("form", "infix");
      signs[0].setAttribute("lspace", "0.23em");
      signs[0].setAttribute("rspace", "0.23em");
    }
    // `tanh` alone is not followed by the space before its argument.
    const parts = math.querySelectorAll(":scope > mrow > *, :scope > semantics > mrow > *");
    const last = parts[parts.length - 1];
    if (last && last.localName === "mspace") last.remove();
  }

  const drawn = (root) => root.querySelectorAll(".tex").forEach(draw);
  const main = document.querySelector("main");
  drawn(document.querySelector("aside"));
  drawn(main);

  // What is wider than its box can be scrolled with the keyboard too.
  function reachable() {
    const found = document.querySelectorAll("[data-display], .table, .scroll, .card pre");
    const boxes = [...found];
    boxes.forEach((box) => box.removeAttribute("tabindex"));
    const wider = boxes.filter((box) => box.scrollWidth > box.clientWidth + 2);
    wider.forEach((box) => box.setAttribute("tabindex", "0"));
  }
  reachable();
  addEventListener("resize", reachable);

  // --- cards: the code and the origins of an equation ------------------------------

  let shown = null; // the card that is open
  let origin = null; // the row that it belongs to
  let pinned = false; // by a choice of its number, not by pointing
  let timer = 0;

  // Where no script runs, the browser opens a card by the number's `popovertarget`.
  const numbers = document.querySelectorAll("button.number");
  if ("popover" in HTMLElement.prototype) numbers.forEach(prepare);

  function prepare(number) {
    const card = document.getElementById(number.getAttribute("popovertarget"));
    const row = number.closest(".eq");
    number.removeAttribute("popovertarget");
    number.setAttribute("aria-expanded", "false");
    number.setAttribute("aria-controls", card.id);

    row.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "mouse" || pinned) return;
      later(() => open(card, row), 250);
    });
    row.addEventListener("pointerleave", () => pinned || later(close, 250));
    card.addEventListener("pointerenter", () => clearTimeout(timer));
    card.addEventListener("pointerleave", () => pinned || later(close, 250));

    // A card that closes gives its focus back, which must not open it again.
    let closing = false;
    card.addEventListener("beforetoggle", (event) => {
      closing = event.newState === "closed";
    });
    number.addEventListener("focus", () => {
      if (!closing && number.matches(":focus-visible")) open(card, row);
    });
    // A pointer that goes down elsewhere closes the card; on its own number it pins.
    let was = false;
    number.addEventListener("pointerdown", () => (was = shown === card && pinned));
    number.addEventListener("click", (event) => {
      if (was && event.detail > 0) return close();
      open(card, row);
      pinned = true;
      if (event.detail === 0) card.focus(); // chosen by the keyboard
    });
    number.addEventListener("blur", (event) => {
      if (!pinned && !card.contains(event.relatedTarget)) later(close, 100);
    });
    card.addEventListener("focusin", () => clearTimeout(timer));
    card.addEventListener("click", (event) => event.target.closest("a") && close());
    card.addEventListener("toggle", (event) => {
      closing = false;
      number.setAttribute("aria-expanded", String(event.newState === "open"));
      row.classList.toggle("shown", event.newState === "open");
      if (event.newState !== "open" && shown === card) {
        shown = null;
        pinned = false;
      }
    });
  }

  function later(step, milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(step, milliseconds);
  }

  function open(card, row) {
    clearTimeout(timer);
    if (shown === card) return;
    close();
    shown = card;
    origin = row;
    card.showPopover();
    drawn(card);
    place(card, row);
    reachable();
    // A sheet at the bottom of a phone does not hide its equation.
    const under = row.getBoundingClientRect().bottom - card.getBoundingClientRect().top;
    if (innerWidth < 640 && under > 0) scrollBy({ top: under + 12 });
  }

  function close() {
    clearTimeout(timer);
    if (shown) shown.hidePopover();
    shown = null;
    pinned = false;
  }

  // Below its equation, or above it where there is more room; a sheet on a phone.
  function place(card, row) {
    card.removeAttribute("style");
    if (innerWidth < 640) return;
    const box = row.getBoundingClientRect();
    card.style.width = `${Math.max(box.width, 480)}px`;
    const below = innerHeight - box.bottom - 24;
    const above = box.top - 24;
    const down = below >= Math.min(card.offsetHeight, 280) || below >= above;
    card.style.maxHeight = `${Math.max(down ? below : above, 120)}px`;
    const left = Math.min(box.left, innerWidth - card.offsetWidth - 16);
    card.style.left = `${Math.max(left, 16)}px`;
    card.style.top = `${down ? box.bottom + 6 : box.top - card.offsetHeight - 6}px`;
  }

  // It stays with its equation while that can be seen.
  function follow() {
    if (!shown) return;
    const box = origin.getBoundingClientRect();
    if (box.bottom < 0 || box.top > innerHeight) close();
    else place(shown, origin);
  }
  addEventListener("scroll", () => requestAnimationFrame(follow), { passive: true });
  addEventListener("resize", follow);

  // --- contents: folded on a small screen, and where the reader is ------------------

  const contents = document.querySelector("nav details");
  const small = matchMedia("(max-width: 63.99rem)");
  const fold = () => (contents.open = !small.matches);
  fold();
  small.addEventListener("change", fold);
  contents.addEventListener("click", (event) => {
    if (small.matches && event.target.closest("a")) contents.open = false;
  });

  const links = new Map();
  for (const link of contents.querySelectorAll("a")) {
    links.set(link.getAttribute("href").slice(1), link);
  }
  const sections = [...document.querySelectorAll("section")];
  function mark() {
    const bottom = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const begun = sections.filter((s) => s.getBoundingClientRect().top < innerHeight / 4);
    const here = bottom && scrollY > 0 ? sections.at(-1) : begun.at(-1) || sections[0];
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(here?.getAttribute("aria-labelledby"))?.setAttribute("aria-current", "true");
  }
  mark();
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });

  // --- light and dark ---------------------------------------------------------------

  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = (value) => {
    try {
      if (value === undefined) return localStorage.getItem("symbackprop theme");
      localStorage.setItem("symbackprop theme", value);
    } catch {
      // Some browsers keep nothing for a page that was opened from a file.
    }
    return null;
  };
  const chosen = remembered();
  if (chosen) document.documentElement.dataset.theme = chosen;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    remembered(next);
  });
})();
