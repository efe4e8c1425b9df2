// Draws the charts when they come into view, in the colours of the theme. Without it the tables say the same.
(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const places = [...document.querySelectorAll("[data-chart]")];
  const seen = new Set();
  const root = document.documentElement;
  const theme = document.getElementById("theme");

  async function library() {
    const packed = Uint8Array.from(atob(document.getElementById("library").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  // The computed value of a colour, of the theme as it is now.
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  function colour(name) {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  }

  // A figure with the values of its `--name` colours.
  function themed(value) {
    if (typeof value === "string") return /^--[a-z0-9]+$/.test(value) ? colour(value) : value;
    if (Array.isArray(value)) return value.map(themed);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, themed(each)]));
  }

  function layout(place, given) {
    const own = themed(given);
    const axis = { gridcolor: colour("--grid"), zerolinecolor: colour("--line"), linecolor: colour("--line"), fixedrange: true };
    const full = {
      font: { family: "system-ui, sans-serif", size: 12, color: colour("--ink") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 40, r: 12, t: 8, b: own.xaxis.title ? 44 : 28 },
      hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
      legend: { orientation: "h", x: 0, y: 1.0, yanchor: "bottom", traceorder: "normal" },
      dragmode: false,
      height: Number(place.dataset.height),
      width: place.clientWidth,
      ...own,
    };
    for (const key of Object.keys(full)) {
      if (/^[xy]axis/.test(key)) full[key] = { ...axis, ...full[key], title: { standoff: 8, ...full[key].title } };
    }
    return full;
  }

  function draw(place) {
    if (!place.clientWidth) return; // in a closed part of the page
    const { figure } = figures[place.dataset.chart];
    Plotly.react(place, themed(figure.data), layout(place, figure.layout), { displayModeBar: false });
  }

  function start() {
    const watcher = new IntersectionObserver(
      (entries) => {
        for (const entry of entries.filter((each) => each.isIntersecting && !seen.has(each.target))) {
          seen.add(entry.target);
          draw(entry.target);
        }
      },
      { rootMargin: "800px" },
    );
    places.forEach((place) => watcher.observe(place));
    const redraw = () => seen.forEach(draw);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", redraw);
    theme.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
      root.dataset.theme = dark ? "light" : "dark";
      redraw();
    });
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width) redraw();
      width = innerWidth;
    });
    // Paper is white: all charts, in the light colours.
    addEventListener("beforeprint", () => {
      root.classList.add("paper");
      places.forEach((place) => (seen.add(place), draw(place)));
    });
    addEventListener("afterprint", () => {
      root.classList.remove("paper");
      redraw();
    });
  }

  library().then(start);
})();
