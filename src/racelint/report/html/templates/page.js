"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const say = (text) => { one("#said").textContent = text; };

  // Theme: the system's, unless the reader chose another.
  const themes = ["system", "light", "dark"];
  const themeButton = one("#theme");
  const stored = () => { try { return localStorage.getItem("racelint-theme"); } catch { return null; } };
  const useTheme = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    one("span", themeButton).textContent = theme;
  };
  useTheme(themes.includes(stored()) ? stored() : "system");
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    const next = themes[(themes.indexOf(one("span", themeButton).textContent) + 1) % themes.length];
    try { localStorage.setItem("racelint-theme", next); } catch { /* a page from a file may have no storage */ }
    useTheme(next);
  });

  // Filters.
  const findings = all("details.finding");
  const filters = one("#filters");
  const extra = { name: "", value: "" };
  const facts = new Map(findings.map((finding) => {
    const summary = one("summary", finding);
    const { status, subject } = finding.dataset;
    return [finding, {
      status,
      subject,
      severity: finding.classList[1],
      code: one("b", summary).textContent,
      path: one("cite", summary).textContent.replace(/:\d+$/, ""),
      text: `${summary.textContent} ${subject}`.toLowerCase(),
    }];
  }));
  const matches = (finding, wanted) => {
    const { text, ...exact } = wanted;
    const known = facts.get(finding);
    if (extra.name && known[extra.name] !== extra.value) return false;
    if (Object.entries(exact).some(([name, value]) => value && known[name] !== value)) return false;
    return !text || known.text.includes(text.toLowerCase());
  };
  const filter = () => {
    const wanted = Object.fromEntries(new FormData(filters));
    let shown = 0;
    for (const finding of findings) {
      finding.hidden = !matches(finding, wanted);
      shown += finding.hidden ? 0 : 1;
    }
    one(".shown", filters).textContent = shown === findings.length ? `${shown} shown` : `${shown} of ${findings.length} shown`;
    one("#none").hidden = shown > 0;
    one(".chosen", filters).hidden = !extra.name;
    one(".chosen > span", filters).textContent = extra.value;
  };
  const choose = (name, value) => { extra.name = name; extra.value = value; };
  if (filters) {
    filters.hidden = false;
    for (const event of ["input", "change"]) filters.addEventListener(event, filter);
    filters.addEventListener("submit", (event) => event.preventDefault());
    one("[data-clear]", filters).addEventListener("click", () => { choose("", ""); filter(); });
    one("[data-open]", filters).addEventListener("click", (event) => {
      const open = event.target.textContent === "Open all";
      for (const finding of findings) if (!finding.hidden) finding.open = open;
      event.target.textContent = open ? "Close all" : "Open all";
    });
    for (const button of all("[data-filter]")) {
      button.addEventListener("click", () => {
        const { filter: name, value } = button.dataset;
        filters.reset();
        choose("", "");
        if (filters.elements[name]) filters.elements[name].value = value;
        else choose(name, value);
        filter();
        one("#findings-title").focus({ preventScroll: true });
        one("#findings").scrollIntoView();
      });
    }
    filter();
  }

  // A finding's address opens it, and opening it is its address.
  const openAddressed = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", openAddressed);
  for (const finding of findings) {
    one("summary", finding).addEventListener("click", () => {
      if (!finding.open) history.replaceState(null, "", `#${finding.id}`);
    });
  }
  openAddressed();

  // Interleavings, step by step. Where a lane would be narrower than this, the threads stand one under the other.
  const NARROWEST = 160;
  const PAPER = 680;
  const forPaper = [];
  const weave = (root) => {
    const beats = all(".beats > li", root);
    const heads = all(".heads > span", root);
    const lanes = heads.length;
    const [stepper] = one("#stepper").content.cloneNode(true).children;
    const values = one(".values", stepper);
    one(".heads", root).before(stepper);
    stepper.append(one(".heads", root));
    const slider = one("input", root);
    slider.max = beats.length;
    const fit = (width) => root.classList.toggle("stacked", width < lanes * NARROWEST);
    new ResizeObserver(() => fit(root.clientWidth)).observe(root);
    forPaper.push(() => fit(PAPER));
    addEventListener("afterprint", () => fit(root.clientWidth));
    for (const { textContent, className } of heads) {
      const head = document.createElement("th");
      Object.assign(head, { scope: "col", textContent, className });
      one("thead tr", values).append(head);
    }
    const shared = [...new Set(beats.map((beat) => beat.dataset.name))].filter((name) => {
      const touching = name ? beats.filter((beat) => beat.dataset.name === name) : [];
      return new Set(touching.map((beat) => beat.dataset.lane)).size > 1 && touching.some((beat) => beat.dataset.deed === "write");
    });
    const rows = shared.map((name) => {
      const row = one("tbody", values).insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      return Array.from({ length: lanes + 1 }, () => row.insertCell());
    });
    const fill = (step) => {
      shared.forEach((name, row) => {
        const known = Array(lanes + 1).fill(undefined);
        for (const { dataset } of beats.slice(0, step)) {
          if (dataset.name === name) known[0] = known[Number(dataset.lane) + 1] = dataset.value;
        }
        rows[row].forEach((cell, column) => {
          const stale = column > 0 && known[column] !== undefined && known[column] !== known[0];
          cell.textContent = `${known[column] ?? "–"}${stale ? " (stale)" : ""}`;
          cell.classList.toggle("stale", stale);
        });
      });
    };
    const go = (step, aloud = true) => {
      const at = Math.min(Math.max(step, 1), beats.length);
      slider.value = at;
      beats.forEach((beat, position) => {
        beat.classList.toggle("future", position >= at);
        const now = aloud && position === at - 1;
        beat.classList.toggle("now", now);
        if (now) beat.setAttribute("aria-current", "step");
        else beat.removeAttribute("aria-current");
      });
      one("output", root).textContent = `step ${at} of ${beats.length}`;
      slider.setAttribute("aria-valuetext", `${at} of ${beats.length}`);
      fill(at);
      if (!aloud) return;
      say(`Step ${at} of ${beats.length}. ${[...beats[at - 1].children].map((part) => part.textContent).join(" ")}`);
      const pinned = getComputedStyle(stepper).position === "sticky";
      beats[at - 1].style.scrollMarginTop = `${pinned ? stepper.offsetHeight : 0}px`;
      beats[at - 1].scrollIntoView({ block: "nearest" });
    };
    const wrong = beats.findIndex((beat) => beat.classList.contains("wrong")) + 1;
    const steps = { first: () => 1, back: (at) => at - 1, on: (at) => at + 1, last: () => beats.length, wrong: () => wrong };
    one(".wrongly", root).hidden = wrong === 0;
    values.hidden = shared.length === 0;
    slider.addEventListener("input", () => go(Number(slider.value)));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-go]");
      if (button) go(steps[button.dataset.go](Number(slider.value)));
    });
    root.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const taken = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target === slider || values.contains(event.target);
      if (step && !taken) {
        event.preventDefault();
        go(Number(slider.value) + step);
      }
    });
    go(beats.length, false);
  };
  // Copying.
  const copied = async (code, button) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    say("Copied");
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  // A large page carries the bodies of its findings compressed.
  const bodies = new Map();
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const texts = await new Response(stream).json();
    findings.forEach((finding, position) => bodies.set(finding, texts[position]));
  };

  // What a finding needs to be used is made when it is first opened.
  const scrollable = (element, label) => Object.assign(element, { tabIndex: 0, role: "group", ariaLabel: label });
  const prepare = (finding) => {
    const packed = one("#packed");
    if ("ready" in finding.dataset || (packed && !bodies.has(finding))) return;
    finding.dataset.ready = "";
    if (packed) one(".body", finding).innerHTML = bodies.get(finding);
    all(".weave", finding).forEach(weave);
    for (const code of all(".code", finding)) scrollable(code, `Source of ${code.previousElementSibling.textContent}`);
    for (const patch of all(".patch", finding)) scrollable(patch, "The fix");
    for (const code of all(".replay code", finding)) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Copy" });
      button.addEventListener("click", () => copied(code, button));
      scrollable(code, "Replay command").after(button);
    }
  };
  const prepareOpen = () => { for (const finding of findings) if (finding.open) prepare(finding); };
  for (const finding of findings) finding.addEventListener("toggle", () => prepare(finding));
  if (one("#packed")) unpack(one("#packed").textContent).then(prepareOpen);
  else prepareOpen();

  // Paper shows what is open: all that is not filtered out.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details").filter((details) => !details.open && !details.hidden);
    for (const details of closed) details.open = true;
    prepareOpen();
    for (const fit of forPaper) fit();
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
})();
