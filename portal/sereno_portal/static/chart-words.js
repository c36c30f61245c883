// What a chart says in words: labels and looks of its lines, a legend, a table, a text for those who can't see it.
"use strict";

(() => {
  const words = JSON.parse(document.body.dataset.chartWords);
  const { figure } = window.sereno;
  const DASHES = [[], [9, 4], [3, 3], [10, 3, 2, 3]];
  const FORECAST = [7, 5];
  const COLOURS = 8;

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(key, value);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  const colourOfHue = (hue) => colour(hue === "plain" ? "series-1" : hue);

  // Lines without a meaning of their own take the palette in turn; from the ninth on the dashes differ, and so they do
  // for lines of the same meaning.
  function looksOf(lines) {
    let turn = 0;
    const alike = {};
    return lines.map((line) => {
      if (line.hue && line.dashed) return { colour: colourOfHue(line.hue), dash: FORECAST };
      if (line.hue) {
        alike[line.hue] = (alike[line.hue] ?? -1) + 1;
        return { colour: colourOfHue(line.hue), dash: DASHES[alike[line.hue] % DASHES.length] };
      }
      const own = { colour: colour(`series-${(turn % COLOURS) + 1}`), dash: DASHES[Math.floor(turn / COLOURS) % DASHES.length] };
      turn += 1;
      return line.dashed ? { ...own, dash: FORECAST } : own;
    });
  }

  function moment(seconds) {
    return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  }

  const unitOf = (chart, line) => (line.right && chart.right_unit ? chart.right_unit : chart.unit);
  const valueText = (chart, line, index) => figure(line.values[index], unitOf(chart, line), chart.decimals);

  function lastIndex(line) {
    for (let index = line.values.length - 1; index >= 0; index -= 1) if (line.values[index] !== null) return index;
    return -1;
  }

  // What a picture of this chart says to people who can't see it: the latest value of each line.
  function spoken(chart) {
    const told = chart.lines.slice(0, 12).map((line) => `${line.label} ${valueText(chart, line, lastIndex(line))}`);
    const more = chart.lines.length > told.length ? ` … (${chart.lines.length})` : "";
    return `${chart.title}. ${words.latest}: ${told.join(", ")}${more}`;
  }

  // Buttons, so that a keyboard hides and shows lines, too; the values follow the pointer.
  function legendOf(chart, plotOf) {
    const looks = looksOf(chart.lines);
    const rows = chart.lines.map((line, index) => {
      const swatch = element("canvas", { width: 22, height: 10, "aria-hidden": "true" });
      const pen = swatch.getContext("2d");
      pen.strokeStyle = looks[index].colour;
      pen.lineWidth = 3;
      pen.setLineDash(looks[index].dash);
      pen.beginPath();
      pen.moveTo(0, 5);
      pen.lineTo(22, 5);
      pen.stroke();
      const value = element("span", { class: "value" });
      const button = element("button", { type: "button", "aria-pressed": "true", click: () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        plotOf().setSeries(index + 1, { show: shown });
      } }, swatch, ` ${line.label} `, value);
      return { button, value };
    });
    const time = element("span", { class: "fine" });
    const tell = (index) => {
      time.textContent = index === null || index === undefined ? "" : whatWasAt(chart, index);
      rows.forEach(({ value }, row) => { value.textContent = valueText(chart, chart.lines[row], index ?? lastIndex(chart.lines[row])); });
    };
    tell(null);
    const list = element("ul", { class: "legend" }, ...rows.map(({ button }) => element("li", {}, button)));
    return { element: element("div", {}, time, list), tell };
  }

  function whatWasAt(chart, index) {
    const at = chart.times[index];
    const near = (chart.times.at(-1) - chart.times[0]) / 100;
    const marks = chart.marks.filter((mark) => (mark.until === null ? Math.abs(mark.at - at) <= near : mark.at <= at && at <= mark.until));
    return [moment(at), ...marks.slice(0, 3).map((mark) => mark.label)].join(" · ");
  }

  // The same as a table, made when it is asked for: the newest first.
  function tableOf(chart) {
    const details = element("details", { toggle: () => {
      if (!details.open || details.children.length > 1) return;
      const head = element("tr", {}, element("th", { scope: "col" }, words.time), ...chart.lines.map((line) => element("th", { scope: "col", class: "number" }, line.label)));
      const rows = chart.times.map((at, index) => element("tr", {}, element("th", { scope: "row" }, moment(at)),
        ...chart.lines.map((line) => element("td", { class: "number" }, valueText(chart, line, index)))));
      const events = chart.marks.map((mark) => element("li", {}, `${moment(mark.at)}${mark.until === null ? "" : ` – ${moment(mark.until)}`}: ${mark.label}`));
      const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows.reverse()));
      details.append(element("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": `${words.table}: ${chart.title}` }, table));
      if (events.length) details.append(element("ul", { class: "fine" }, ...events));
    } }, element("summary", {}, words.table));
    return details;
  }

  Object.assign(window.sereno, { words, element, colour, colourOfHue, looksOf, moment, lastIndex, spoken, legendOf, tableOf });
})();
