// Draws `<figure class="chart" data-chart="/api/v1/…">`: the JSON there is sereno_portal.charts.Chart.
// Nothing moves by itself, so there is nothing to hold back for people who prefer reduced motion.
"use strict";

(() => {
  const { words, element, colour, colourOfHue, looksOf, lastIndex, spoken, legendOf, tableOf, axisTexts, stepsOf } = window.sereno;
  const AT_ONCE = 4;
  const RETRY_SECONDS = 30;
  const drawn = new Map();
  const addresses = new WeakMap(); // of what each target shows

  function rangeOf(chart) {
    return (_, low, high) => {
      let [from, to] = [low ?? chart.minimum ?? 0, high ?? chart.maximum ?? 1];
      from = Math.min(from, chart.minimum ?? from);
      to = Math.max(to, chart.maximum ?? to);
      const room = (to - from || Math.abs(to) || 1) * 0.06;
      return [chart.minimum !== null && from >= chart.minimum ? from : from - room, to + room];
    };
  }

  function axis(chart, scale, unit) {
    const steps = stepsOf(unit);
    return {
      scale, side: scale === "right" ? 1 : 3, stroke: colour("fine"), font: "12px sans-serif",
      grid: scale === "right" ? { show: false } : { stroke: colour("line"), width: 1 }, ticks: { show: false },
      values: (_, splits) => axisTexts(splits, unit),
      size: (_, texts) => (texts ?? []).reduce((widest, text) => Math.max(widest, text.length), 3) * 7 + 14,
      ...(steps ? { incrs: steps } : {}),
    };
  }

  function place(plot, seconds) {
    return plot.valToPos(seconds, "x", true);
  }

  // Bands of what lasted lie below the lines, moments and bounds above them.
  function drawBands(plot, chart) {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const mark of chart.marks.filter((each) => each.until !== null)) {
      const from = Math.max(place(plot, mark.at), bbox.left);
      const to = Math.min(place(plot, mark.until), bbox.left + bbox.width);
      if (to < bbox.left || from > bbox.left + bbox.width) continue;
      ctx.globalAlpha = 0.18;
      ctx.fillStyle = colourOfHue(mark.hue);
      ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
    }
    ctx.restore();
  }

  function drawNotes(plot, chart) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio || 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = 1.5 * scale;
    ctx.font = `${11 * scale}px sans-serif`;
    [ctx.textAlign, ctx.textBaseline] = ["left", "alphabetic"];
    const across = (from, to, dash, stroke) => {
      ctx.setLineDash(dash.map((each) => each * scale));
      ctx.strokeStyle = stroke;
      ctx.beginPath();
      ctx.moveTo(...from);
      ctx.lineTo(...to);
      ctx.stroke();
    };
    for (const mark of chart.marks.filter((each) => each.until === null)) {
      const at = place(plot, mark.at);
      across([at, bbox.top], [at, bbox.top + bbox.height], [2, 3], colourOfHue(mark.hue));
    }
    for (const bound of chart.bounds) {
      const at = plot.valToPos(bound.value, "y", true);
      across([bbox.left, at], [bbox.left + bbox.width, at], [8, 4], colourOfHue(bound.hue));
      const base = at - 4 * scale < bbox.top + 10 * scale ? at + 12 * scale : at - 4 * scale;
      ctx.setLineDash([]);
      ctx.strokeStyle = colour("card");
      ctx.lineWidth = 3 * scale;
      ctx.strokeText(bound.label, bbox.left + 4 * scale, base);
      ctx.lineWidth = 1.5 * scale;
      ctx.fillStyle = colourOfHue(bound.hue);
      ctx.fillText(bound.label, bbox.left + 4 * scale, base);
    }
    ctx.restore();
  }

  function optionsOf(chart, size, onCursor) {
    const looks = looksOf(chart.lines);
    const right = chart.lines.some((line) => line.right);
    return {
      ...size,
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, y: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { time: true }, y: { range: rangeOf(chart) }, ...(right ? { right: {} } : {}) },
      axes: [
        { stroke: colour("fine"), font: "12px sans-serif", grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, values: hours },
        axis(chart, "y", chart.unit),
        ...(right ? [axis(chart, "right", chart.right_unit || chart.unit)] : []),
      ],
      series: [{}, ...chart.lines.map((line, index) => ({
        label: line.label, scale: line.right ? "right" : "y", stroke: looks[index].colour, width: 1.75, dash: looks[index].dash,
        points: { show: false, size: 5, filter: () => alone(line.values) },
      }))],
      hooks: {
        drawClear: [(plot) => drawBands(plot, chart)],
        draw: [(plot) => drawNotes(plot, chart)],
        setCursor: [(plot) => onCursor(plot.cursor.idx)],
      },
    };
  }

  // A value between two gaps has no line: it gets a point.
  function alone(values) {
    return values.flatMap((value, index) => (value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null ? [index] : []));
  }

  // 24 hours, and the day where it changes or where hours say nothing.
  function hours(_, splits, __, ___, step) {
    let before = "";
    return splits.map((seconds) => {
      const [day, time] = new Date(seconds * 1000).toISOString().split("T");
      const told = step >= 86400 ? day.slice(5) : day === before ? time.slice(0, 5) : `${time.slice(0, 5)}\n${day.slice(5)}`;
      before = day;
      return told;
    });
  }

  // Draws a chart that is at hand into a figure; what was there before goes, the caption stays.
  function draw(target, chart) {
    drawn.get(target)?.end();
    const body = clear(target);
    if (chart.trouble) body.append(element("p", { class: "notice", role: "status" }, chart.trouble));
    if (!chart.lines.some((line) => lastIndex(line) >= 0)) {
      body.append(element("p", { class: "fine empty" }, chart.empty || words.empty));
      return;
    }
    const room = element("div", { class: "plot", role: "img", "aria-label": spoken(chart) });
    let plot = null;
    const legend = legendOf(chart, () => plot);
    body.append(room, legend.element, tableOf(chart));
    const data = [chart.times, ...chart.lines.map((line) => line.values)];
    const size = () => ({ width: Math.max(room.clientWidth, 120), height: Math.max(room.clientHeight, 120) });
    const make = () => { plot?.destroy(); plot = new uPlot(optionsOf(chart, size(), legend.tell), data, room); };
    make();
    const watcher = new ResizeObserver(() => { if (plot.width !== size().width || plot.height !== size().height) plot.setSize(size()); });
    watcher.observe(room);
    drawn.set(target, { again: () => draw(target, chart), end: () => { watcher.disconnect(); plot.destroy(); drawn.delete(target); } });
  }

  function clear(target) {
    target.querySelector(":scope > .body")?.remove();
    const body = element("div", { class: "body" });
    target.append(body);
    return body;
  }

  // A chart of the same address stays below the notice: its axis says of when it is.
  function failed(target, why, retry, address) {
    const again = element("button", { type: "button", click: retry }, words.again);
    const notice = element("p", { class: "notice", role: "status" }, `${words.trouble}: ${why}`);
    const body = drawn.has(target) && addresses.get(target) === address && target.querySelector(":scope > .body");
    if (body) {
      body.querySelector(":scope > .failure")?.remove();
      return body.prepend(element("div", { class: "failure" }, notice, again));
    }
    drawn.get(target)?.end();
    clear(target).append(notice, again);
  }

  // At most four questions of a page are on their way; the rest wait in line.
  const line = [];
  let busy = 0;
  async function fetched(address) {
    if (busy >= AT_ONCE) await new Promise((resolve) => line.push(resolve));
    busy += 1;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(RETRY_SECONDS * 1000) });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error ?? answer.statusText);
      return found;
    } finally {
      busy -= 1;
      line.shift()?.();
    }
  }

  // Fetches what `address` says and shows it; where it can't be told, says why, and tries again by itself.
  async function load(target, address, show) {
    target.setAttribute("aria-busy", "true");
    try {
      const found = await fetched(address);
      addresses.delete(target);
      show(target, found);
      addresses.set(target, address);
    } catch (error) {
      failed(target, error.message, () => load(target, address, show), address);
      setTimeout(() => { if (target.isConnected && target.querySelector(".notice + button")) load(target, address, show); }, RETRY_SECONDS * 1000);
    } finally {
      target.removeAttribute("aria-busy");
    }
  }

  // Nothing is asked for before somebody comes near it.
  function whenNear(targets, start) {
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((each) => each.isIntersecting)) {
        near.unobserve(entry.target);
        start(entry.target);
      }
    }, { rootMargin: "400px" });
    targets.forEach((each) => near.observe(each));
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...drawn.values()].forEach((each) => each.again()));
  Object.assign(window.sereno, { draw, load, whenNear, clear });
  whenNear(document.querySelectorAll("figure.chart[data-chart]"), (each) => load(each, each.dataset.chart, draw));
})();
