// Figures as people read them, by Grafana's unit ids: the same words as sereno_portal/web/figures.py (a test compares).
"use strict";

(() => {
  const SCALES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
  const BYTES = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];
  const SUFFIXES = { cpm: "/min", ops: "/s", reqps: "/s", cps: "/s", rps: "/s", pps: " p/s", percent: " %", celsius: " °C" };
  const SECONDS = { s: 1, dtdurations: 1, ms: 1e-3, clockms: 1e-3, "µs": 1e-6, m: 60, h: 3600, d: 86400 };
  const SIZES = { bytes: "B", decbytes: "B", Bps: "B/s", binBps: "B/s" };
  const NOTHING = "–";

  function significant(value) {
    if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(2).replace(/\.?0+e/, "e").replace(/e([+-])(\d)$/, "e$10$2");
    return String(Number(value.toPrecision(3)));
  }

  function rounded(value, decimals) {
    if (decimals !== null) return value.toFixed(decimals);
    return Math.abs(value) >= 999.5 || Number.isInteger(value) ? value.toFixed(0) : significant(value);
  }

  function scaled(value, scales, decimals, plain) {
    const [scale, name] = scales.find(([size]) => Math.abs(value) >= size) ?? [1, plain];
    return `${rounded(value / scale, decimals)} ${name}`.trimEnd();
  }

  // `3 d 4 h`, `12 min 5 s`, `240 ms`: two units at most.
  function lasting(seconds) {
    if (Math.abs(seconds) < 0.9995) return seconds === 0 ? "0 s" : `${significant(seconds * 1000)} ms`;
    if (Math.abs(seconds) < 9.95) return `${Number(seconds.toPrecision(2))} s`;
    let rest = Math.round(Math.abs(seconds));
    const parts = [];
    for (const [length, name] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
      const count = Math.floor(rest / length);
      rest %= length;
      if (count) parts.push(`${count} ${name}`);
      else if (parts.length) break;
    }
    return (seconds < 0 ? "-" : "") + parts.slice(0, 2).join(" ");
  }

  function suffixOf(unit) {
    return unit.startsWith("suffix:") ? unit.slice(7) : SUFFIXES[unit] ?? "";
  }

  function figure(value, unit = "short", decimals = null) {
    if (value === null || value === undefined || Number.isNaN(value)) return NOTHING;
    if (unit === "percentunit") return `${rounded(value * 100, decimals)} %`;
    if (unit in SECONDS) return lasting(value * SECONDS[unit]);
    if (unit in SIZES) {
      const text = scaled(value, BYTES, decimals, "B");
      return SIZES[unit] === "B" ? text : `${text}/s`;
    }
    if (unit === "locale") return value.toLocaleString("en-US", { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? 0 });
    return scaled(value, SCALES, decimals, "") + suffixOf(unit);
  }

  // How many decimals tell steps of this size apart.
  function decimalsOf(step) {
    return Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  }

  // The texts of an axis: neighbours differ, and all have the same scale.
  function axisTexts(splits, unit) {
    const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : Math.abs(splits[0]) || 1;
    if (unit === "percentunit") return splits.map((each) => `${(each * 100).toFixed(decimalsOf(step * 100))} %`);
    if (unit in SECONDS) return splits.map((each) => lasting(Number((each * SECONDS[unit]).toPrecision(12))));
    const scales = unit in SIZES ? BYTES : SCALES;
    const largest = Math.max(...splits.map(Math.abs));
    const [scale, name] = scales.find(([size]) => largest >= size) ?? [1, unit in SIZES ? "B" : ""];
    const tail = unit in SIZES ? (SIZES[unit] === "B" ? "" : "/s") : suffixOf(unit);
    const text = (each) => `${(each / scale).toFixed(decimalsOf(step / scale))} ${name}`.trimEnd() + tail;
    return splits.map((each) => (each === 0 ? "0" : text(each)));
  }

  // What an axis may count by, where tens are odd: hours have 60 minutes.
  function stepsOf(unit) {
    if (unit in SIZES) return Array.from({ length: 61 }, (_, power) => 2 ** power);
    if (!(unit in SECONDS)) return null;
    const small = [-6, -5, -4, -3, -2, -1].flatMap((power) => [1, 2, 5].map((each) => each * 10 ** power));
    const large = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200];
    const days = [1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365, 730, 1825, 3650, 18250].map((each) => each * 86400);
    return [...small, ...large, ...days].map((each) => each / SECONDS[unit]);
  }

  window.sereno = { figure, axisTexts, stepsOf };
})();
