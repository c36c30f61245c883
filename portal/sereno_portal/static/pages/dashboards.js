// Panels of a dashboard: `<figure data-panel="/api/v1/dashboards/…">` shows what sereno_portal.pages.dashboards.models says.
"use strict";

(() => {
  const { element, draw, load, whenNear, clear, figure, colour, moment, words } = window.sereno;
  const SIGNS = { good: "✔", warning: "▲", bad: "✖" };
  const AGAIN_SECONDS = 60;
  const SVG = "http://www.w3.org/2000/svg";

  // A state is told by a sign as well as by its colour.
  function signed(text, hue) {
    if (!(hue in SIGNS)) return text;
    return element("span", { class: hue }, element("span", { "aria-hidden": "true" }, SIGNS[hue]), ` ${text}`);
  }

  function shape(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function bar(ratio, hue) {
    const made = shape("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    made.append(shape("rect", { class: "track", width: 100, height: 10 }), shape("rect", { class: `fill ${hue ?? ""}`, width: 100 * ratio, height: 10 }));
    return made;
  }

  function showFigures(body, view) {
    body.append(element("ul", { class: "figures" }, ...view.figures.map((each) => element("li", {},
      element("div", { class: "big" }, signed(each.text, each.hue)),
      ...(each.ratio === null ? [] : [bar(each.ratio, each.hue)]),
      ...(each.label ? [element("div", { class: "fine" }, each.label)] : [])))));
  }

  function cell(column, each) {
    const text = signed(each.text, each.hue);
    return element("td", { class: column.is_number ? "number" : null }, each.address ? element("a", { href: each.address }, text) : text);
  }

  function showTable(body, view) {
    const head = element("tr", {}, ...view.columns.map((each) => element("th", { scope: "col", class: each.is_number ? "number" : null }, each.name)));
    const rows = view.rows.map((row) => element("tr", {}, ...row.map((each, index) => cell(view.columns[index], each))));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
    body.append(element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": view.title }, table));
  }

  function most(view) {
    return Math.max(0, ...view.counts.flat().filter((each) => each !== null));
  }

  // The busiest bucket now, for people who can't see the picture.
  function spoken(view) {
    const latest = view.counts.map((row) => row.findLast((each) => each !== null) ?? 0);
    const busiest = latest.indexOf(Math.max(...latest));
    return `${view.title}. ${words.latest}: ≤ ${view.buckets[busiest]}: ${figure(latest[busiest], view.unit)}`;
  }

  function paint(canvas, view) {
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    [canvas.width, canvas.height] = [width * scale, height * scale];
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px sans-serif";
    const left = Math.max(...view.buckets.map((each) => pen.measureText(each).width)) + 8;
    const [room, tall] = [width - left, (height - 18) / view.buckets.length];
    const wide = room / view.times.length;
    const largest = most(view) || 1;
    pen.fillStyle = colour("series-1");
    view.counts.forEach((row, index) => row.forEach((count, at) => {
      if (!count) return;
      pen.globalAlpha = 0.12 + 0.88 * Math.sqrt(count / largest);
      pen.fillRect(left + at * wide, height - 18 - (index + 1) * tall, Math.max(wide - 0.5, 1), Math.max(tall - 1, 1));
    }));
    pen.globalAlpha = 1;
    pen.fillStyle = colour("fine");
    const every = Math.ceil(16 / tall);
    view.buckets.forEach((each, index) => { if (index % every === 0) pen.fillText(each, 0, height - 18 - index * tall - 2); });
    const columns = Math.max(1, Math.floor(room / 110));
    for (let column = 0; column < columns; column += 1) {
      const at = Math.floor((column / columns) * view.times.length);
      pen.fillText(moment(view.times[at]).slice(5, 16), left + at * wide, height - 4);
    }
  }

  function showHeatmap(body, view) {
    const canvas = element("canvas", { class: "heat", role: "img", "aria-label": spoken(view) });
    body.append(canvas, element("p", { class: "fine" }, `0 – ${figure(most(view), view.unit)}`));
    new ResizeObserver(() => paint(canvas, view)).observe(canvas);
  }

  // Heights tell states apart as well as colours do: what is bad fills its row.
  const HEIGHTS = { good: 9, warning: 15, bad: 20 };

  function showStates(body, view) {
    const across = (seconds) => (1000 * (seconds - view.start)) / (view.end - view.start);
    const rows = view.rows.map((row) => {
      const line = shape("svg", { class: "states", viewBox: "0 0 1000 20", preserveAspectRatio: "none", "aria-hidden": "true" });
      for (const each of row.stretches) {
        const height = HEIGHTS[each.hue] ?? 12;
        const block = shape("rect", { class: `fill ${each.hue ?? ""}`, x: across(each.at), y: 20 - height, height, width: Math.max(across(each.until) - across(each.at) - 1.5, 1) });
        const words = shape("title", {});
        words.textContent = `${moment(each.at)}: ${each.text}`;
        block.append(words);
        line.append(block);
      }
      const latest = row.stretches.at(-1);
      return element("tr", {}, element("th", { scope: "row" }, row.label), element("td", { class: "wide" }, line),
        element("td", { class: "number" }, latest ? signed(latest.text, latest.hue) : ""));
    });
    const head = element("tr", {}, element("td", {}), element("th", { scope: "col", class: "wide" }, `${moment(view.start)} – ${moment(view.end)}`), element("th", { scope: "col", class: "number" }, words.latest));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
    const listed = view.rows.flatMap((row) => row.stretches.map((each) => element("li", {}, `${row.label}: ${moment(each.at)} – ${moment(each.until)}: ${each.text}`)));
    body.append(element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": view.title }, table),
      element("details", {}, element("summary", {}, words.table), element("ul", { class: "fine" }, ...listed.slice(-500))));
  }

  const SHOWN = { states: showStates, figures: showFigures, table: showTable, heatmap: showHeatmap };

  function isEmpty(view) {
    return (view.kind === "figures" && !view.figures.length) || (view.kind === "table" && !view.rows.length) ||
      (view.kind === "states" && !view.rows.length) ||
      (view.kind === "heatmap" && !view.counts.some((row) => row.some((each) => each !== null)));
  }

  function show(target, view) {
    if (view.kind === "chart") return draw(target, view.chart);
    const body = clear(target);
    if (view.trouble) body.append(element("p", { class: "notice", role: "status" }, view.trouble));
    if (view.kind === "elsewhere") {
      const link = view.address ? [" ", element("a", { href: view.address }, "Grafana")] : [];
      return body.append(element("p", { class: "fine empty" }, view.text, ...link));
    }
    if (isEmpty(view)) return body.append(element("p", { class: "fine empty" }, view.empty || words.empty));
    return SHOWN[view.kind](body, view);
  }

  const started = new Set();
  whenNear(document.querySelectorAll("[data-panel]"), (each) => { started.add(each); load(each, each.dataset.panel, show); });

  // What shows up to now is asked anew every minute, unless somebody is reading it.
  if (!new URLSearchParams(location.search).get("to")) {
    setInterval(() => {
      if (document.hidden) return;
      for (const each of started) {
        const isRead = each.matches(":hover, :focus-within") || each.querySelector(".body details[open], [aria-pressed=false], .notice + button");
        if (!isRead) load(each, each.dataset.panel, show);
      }
    }, AGAIN_SECONDS * 1000);
  }

  // What depends on a choice that was changed is chosen anew: its old value may be none of what is offered then.
  const form = document.querySelector(".choose");
  const changed = new Set();
  form?.addEventListener("change", (event) => changed.add(event.target.name?.replace(/^var-/, "")));
  form?.addEventListener("submit", () => {
    for (const each of form.querySelectorAll("[data-depends]")) {
      each.disabled = each.dataset.depends.split(" ").some((name) => changed.has(name));
    }
  });
})();
