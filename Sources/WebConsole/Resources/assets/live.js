// Live values over Server-Sent Events. The page says so when the connection is lost.
//
// event samples  data: [{"point": "device/point", "text": "21,4", "value": 21.4, "quality": "good",
//                        "note": "…" | {"vi": "…", "en": "…"}, "time": 1700000000000}]
//                 time: milliseconds of the site's local time, shown as it is whatever the browser's zone
// event states   data: [{"key": "device/…", "kind": "warning", "label": "…" | {"vi": "…", "en": "…"}}]
// event figures  data: [{"key": "online", "text": "…" | {"vi": "…", "en": "…"}}], for elements with data-figure
// event regions  what is listed has changed: elements with data-region are taken anew from the server
// event resync   the page missed events: its values are read again from the server
"use strict";
(() => {
  const language = document.documentElement.lang || "vi";
  const indicator = document.querySelector("[data-live-indicator]");
  const icons = document.querySelector("svg.icon use");
  const sprite = icons ? icons.getAttribute("href").split("#")[0] : "";
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: "UTC" });
  let source;
  let retryTimer;
  let lastResync = 0;
  let regionTimer;
  let lastRegions = Date.now();

  const show = (state) => {
    if (!indicator || indicator.dataset.state === state) return;
    indicator.dataset.state = state;
    const word = { connecting: "textConnecting", live: "textLive", lost: "textLost" }[state];
    indicator.querySelector("[data-live-text]").textContent = indicator.dataset[word];
    document.body.classList.toggle("is-stale", state === "lost");
  };
  const inLanguage = (text) => (text && typeof text === "object" ? text[language] || text.vi : text);
  const setText = (element, text) => {
    if (element && text !== undefined && text !== null && element.textContent !== text) element.textContent = text;
  };

  const applySample = (sample) => {
    for (const element of document.querySelectorAll(`[data-point="${CSS.escape(sample.point)}"]`)) {
      const decimals = element.dataset.decimals;
      const options = decimals === undefined ? { maximumFractionDigits: 6 }
        : { minimumFractionDigits: Number(decimals), maximumFractionDigits: Number(decimals) };
      const text = sample.text !== undefined ? inLanguage(sample.text)
        : typeof sample.value === "number" ? new Intl.NumberFormat(language, options).format(sample.value) : undefined;
      setText(element.querySelector("[data-value]") || element, text);
      if (sample.quality) element.dataset.quality = sample.quality;
      setText(element.querySelector("[data-quality-text]"), inLanguage(sample.note) || "");
      if (typeof sample.time === "number") {
        const time = element.querySelector("[data-time]");
        if (time && time.tagName === "TIME") {
          time.dateTime = new Date(sample.time).toISOString();
          time.title = "";
        }
        setText(time, clock.format(sample.time));
      }
    }
  };

  const applyState = (state) => {
    for (const element of document.querySelectorAll(`[data-state-key="${CSS.escape(state.key)}"]`)) {
      element.className = `pill pill-${state.kind}`;
      setText(element.querySelector("[data-label]"), inLanguage(state.label));
      const use = element.querySelector("use");
      if (use) use.setAttribute("href", `${sprite}#status-${state.kind}`);
    }
  };

  const applyFigure = (figure) => {
    for (const element of document.querySelectorAll(`[data-figure="${CSS.escape(figure.key)}"]`)) {
      setText(element, inLanguage(figure.text));
    }
  };

  // A fresh copy of this page; undefined when the session ended: then the whole page is loaded again.
  const fetchPage = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.redirected || !answer.ok) { location.reload(); return undefined; }
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  // Takes the elements with `name` from a fresh copy; the focus stays on the link that it was on.
  const takeFrom = (fresh, name) => {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const other = fresh.querySelector(`[${name}="${CSS.escape(element.getAttribute(name))}"]`);
      if (!other || element.isEqualNode(other)) continue;
      const focused = element.contains(document.activeElement) ? document.activeElement : null;
      const copy = document.importNode(other, true);
      element.replaceWith(copy);
      const address = focused && focused.getAttribute("href");
      const again = address && copy.querySelector(`[href="${CSS.escape(address)}"]`);
      if (again) again.focus({ preventScroll: true });
    }
  };

  const resync = async () => {
    if (Date.now() - lastResync < 5000) return;
    lastResync = Date.now();
    const fresh = await fetchPage();
    if (fresh) for (const name of ["data-region", "data-point", "data-state-key", "data-figure"]) takeFrom(fresh, name);
  };

  // At most every 2 s, a little apart from other pages; the last change is never left out.
  const refreshRegions = () => {
    if (regionTimer || !document.querySelector("[data-region]")) return;
    const wait = Math.max(0, lastRegions + 2000 - Date.now()) + Math.random() * 300;
    regionTimer = setTimeout(async () => {
      regionTimer = undefined;
      lastRegions = Date.now();
      try {
        const fresh = await fetchPage();
        if (fresh) takeFrom(fresh, "data-region");
      } catch { /* The indicator says that the connection is lost. */ }
    }, wait);
  };

  const each = (event, apply) => {
    let items;
    try { items = JSON.parse(event.data); } catch { return; }
    for (const item of Array.isArray(items) ? items : [items]) apply(item);
    document.dispatchEvent(new CustomEvent("console:refresh"));
  };

  const connect = (isAgain) => {
    clearTimeout(retryTimer);
    source = new EventSource("/live");
    source.addEventListener("hello", () => {
      show("live");
      if (isAgain || lastResync) resync().catch(() => {});
      lastResync = lastResync || 1;
    });
    source.addEventListener("samples", (event) => each(event, applySample));
    source.addEventListener("states", (event) => each(event, applyState));
    source.addEventListener("figures", (event) => each(event, applyFigure));
    source.addEventListener("regions", refreshRegions);
    source.addEventListener("resync", () => resync().catch(() => {}));
    source.addEventListener("error", () => {
      show("lost");
      // The browser retries by itself unless the answer was an error (the session ended): then we look, slowly.
      if (source.readyState !== EventSource.CLOSED) return;
      retryTimer = setTimeout(() => resync().catch(() => {}).finally(() => connect(true)), 6000);
    });
  };
  connect(false);
  // “For 3 min” and “last seen” grow old without any event.
  setInterval(() => { if (indicator && indicator.dataset.state === "live") refreshRegions(); }, 30000);
  window.addEventListener("pagehide", () => { source.close(); clearTimeout(retryTimer); clearTimeout(regionTimer); regionTimer = undefined; });
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(true); });
})();
