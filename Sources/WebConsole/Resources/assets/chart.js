// Charts by dygraphs: <figure data-chart data-src="/api/v1/…">. Without dygraphs the table opens instead.
//
// The source answers {"unit": "°C", "columns": ["time", "value", "minimum", "maximum", "quality"],
//                     "rows": [[1700000000000, 21.4, 21.2, 21.6, "good"], …]}, oldest first;
// value null or quality "bad" leaves a gap; minimum and maximum may be null.
"use strict";
(() => {
  const language = document.documentElement.lang || "vi";
  const rowsShownMax = 500;
  const canDraw = typeof Dygraph !== "undefined";
  // The legend plug-in sets inline styles, which our content security policy forbids: the reading is shown by us.
  if (canDraw) Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

  // Times are the school's, whatever clock the reader's machine has: shifted by its offset and written as UTC.
  const offset = Number(document.documentElement.dataset.utcOffset || 0) * 60000;
  const zone = "UTC";
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  const full = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium", hourCycle: "h23", timeZone: zone });
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  const day = new Intl.DateTimeFormat(language, { day: "2-digit", month: "2-digit", timeZone: zone });
  const format = (value) => (typeof value === "number" ? number.format(value) : "–");

  const parse = (answer) => {
    const columns = answer.columns || ["time", "value", "minimum", "maximum", "quality"];
    const at = (name) => columns.indexOf(name);
    const pick = (row, name) => (at(name) < 0 ? undefined : row[at(name)]);
    return (answer.rows || []).map((row) => {
      const quality = pick(row, "quality") || "good";
      const value = pick(row, "value");
      const isUsable = typeof value === "number" && !quality.startsWith("bad");
      const minimum = pick(row, "minimum");
      const maximum = pick(row, "maximum");
      return {
        time: new Date(pick(row, "time") + offset), quality, value: isUsable ? value : null,
        minimum: typeof minimum === "number" ? minimum : value,
        maximum: typeof maximum === "number" ? maximum : value,
      };
    });
  };

  const fillTable = (figure, rows) => {
    const words = figure.dataset;
    const hasBand = rows.some((row) => row.minimum !== row.value || row.maximum !== row.value);
    const table = document.createElement("table");
    table.className = "table";
    const cells = (tag, texts) => {
      const line = document.createElement("tr");
      for (const text of texts) {
        const cell = document.createElement(tag);
        if (tag === "th") cell.scope = "col";
        cell.textContent = text;
        line.append(cell);
      }
      return line;
    };
    const band = (low, high) => (hasBand ? [low, high] : []);
    table.createTHead().append(
      cells("th", [words.textTime, words.textValue, ...band(words.textMinimum, words.textMaximum), words.textQuality]));
    const body = table.createTBody();
    for (const row of rows.slice(-rowsShownMax).reverse()) {
      const limits = row.value === null ? band("–", "–") : band(format(row.minimum), format(row.maximum));
      body.append(cells("td", [full.format(row.time), format(row.value), ...limits, row.quality]));
    }
    figure.querySelector(".chart-table .scroll").replaceChildren(table);
  };

  const draw = (figure, area, rows) => {
    const style = getComputedStyle(figure);
    const line = style.getPropertyValue("--chart-line").trim() || "#1f5f8b";
    const reading = figure.querySelector(".chart-reading");
    const unit = figure.dataset.unit || "";
    const span = rows[rows.length - 1].time - rows[0].time;
    area.replaceChildren();
    const chart = new Dygraph(area, rows.map((row) => [
      row.time, row.value === null ? [null, null, null] : [row.minimum, row.value, row.maximum],
    ]), {
      labels: ["time", figure.dataset.title || "value"],
      labelsUTC: true, customBars: true, connectSeparatedPoints: false, legend: "never", fillAlpha: 0.18, strokeWidth: 1.5,
      drawPoints: rows.length < 40, pointSize: 2, colors: [line], includeZero: figure.dataset.zero === "true",
      axisLineColor: style.getPropertyValue("--line").trim(), gridLineColor: style.getPropertyValue("--line-soft").trim(),
      axes: {
        x: { pixelsPerLabel: 48, axisLabelWidth: 44, axisLabelFormatter: (time) => (span > 172800000 ? day.format(time) : hour.format(time)) },
        y: { axisLabelFormatter: (value) => format(value), axisLabelWidth: 56 },
      },
      highlightCallback: (event, time, points) => {
        const point = points[0];
        reading.textContent = point ? `${full.format(time)}: ${format(point.yval)} ${unit}` : "";
      },
      unhighlightCallback: () => { reading.textContent = ""; },
    });
    new ResizeObserver(() => chart.resize()).observe(area);
  };

  const load = async (figure) => {
    const area = figure.querySelector(".chart-area");
    const status = (text) => {
      const line = document.createElement("p");
      line.className = "chart-status";
      line.textContent = text;
      area.replaceChildren(line);
    };
    try {
      const answer = await fetch(figure.dataset.src, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const data = await answer.json();
      if (data.unit && !figure.dataset.unit) figure.dataset.unit = data.unit;
      const rows = parse(data);
      if (rows.length === 0) { status(figure.dataset.textEmpty); return; }
      fillTable(figure, rows);
      if (canDraw) {
        draw(figure, area, rows);
      } else {
        area.hidden = true;
        figure.querySelector(".chart-table").open = true;
      }
    } catch {
      status(figure.dataset.textFailed);
    }
  };

  for (const figure of document.querySelectorAll("[data-chart]")) load(figure);
})();
