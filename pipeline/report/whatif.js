// What if: predictions of the fitted laws for the mix that the sliders show. The forms of laws are those of
// pipeline/mixture/compact.py, the arrays those of pipeline/report/packing.py.
(() => {
  "use strict";
  const element = document.getElementById("whatif-data");
  if (!element) return;
  const model = JSON.parse(element.textContent);
  const rows = [...document.querySelectorAll("#weights tbody tr")];
  const lines = [...document.querySelectorAll("#predicted tbody tr")];
  const KINDS = { f8: Float64Array, f4: Float32Array, i2: Int16Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

  async function unpacked() {
    const packed = Uint8Array.from(atob(model.arrays), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    const find = (value) => {
      if (Array.isArray(value) && value.length === 3 && typeof value[0] === "string") return new KINDS[value[0]](bytes, value[1], value[2]);
      if (Array.isArray(value)) return value.map(find);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, find(each)]));
    };
    for (const key of ["runs", "thresholds", "anchors", "level", "pulls", "tasks"]) model[key] = find(model[key]);
    model.runFeatures = features(model.runs);
    model.anchorFeatures = features(model.anchors);
    delete model.arrays;
  }

  const feature = (weight) => Math.pow(Math.max(weight, 0) + model.floor, 0.25);
  const features = (weights) => Float64Array.from(weights, feature);
  const matern = (squares) => {
    const r = Math.sqrt(5 * squares);
    return (1 + r + (5 / 3) * squares) * Math.exp(-r);
  };
  const dot = (a, b) => a.reduce((sum, each, i) => sum + each * b[i], 0);

  // Squared differences of features to every row of `others`, row by row.
  function apart(own, others) {
    const found = new Float64Array(others.length);
    for (let i = 0; i < others.length; i++) found[i] = (own[i % own.length] - others[i]) ** 2;
    return found;
  }

  function forest(trees, weights) {
    const splits = trees.leaves - 1;
    let total = 0;
    for (let t = 0, s = 0; t < trees.count; t++) {
      let left = -1;
      for (const end = s + splits; s < end; s++) {
        if (weights[trees.features[s]] > model.thresholds[trees.ranks[s]]) left &= trees.bits[s];
      }
      total += trees.values[t * trees.leaves + 31 - Math.clz32(left & -left)];
    }
    return trees.step * total;
  }

  function mean(task, w, own, toRuns) {
    const d = w.length;
    let total = task.offset + dot(w, task.slope);
    for (const [power, slope] of Object.entries(task.roots)) {
      total += w.reduce((sum, each, i) => sum + slope[i] * Math.pow(Math.max(each, 0) + model.floor, Number(power)), 0);
    }
    for (let i = 0, at = 0; i < d && task.bends.length; i++) for (let j = i; j < d; j++) total += task.bends[at++] * w[i] * w[j];
    for (const each of task.exponentials) {
      const inside = each.start + dot(w, each.slope);
      total += each.factor * Math.exp(Math.min(Math.max(inside, each.clip[0]), each.clip[1]));
    }
    for (const each of task.powers) total += each.factor * Math.pow(1 + dot(w, each.use), -each.power);
    for (const each of task.processes) {
      const scale = each.inverse.map((value) => value * value);
      for (let run = 0, at = 0; run < each.pulls.length; run++) {
        let squares = 0;
        for (let i = 0; i < d; i++) squares += toRuns[at++] * scale[i];
        total += each.pulls[run] * matern(squares);
      }
    }
    return total + (task.trees ? forest(task.trees, w) : 0);
  }

  function sds(own) {
    const d = own.length;
    const squares = apart(own, model.anchorFeatures);
    const logs = Float64Array.from(model.level);
    for (let a = 0; a < squares.length / d; a++) {
      let sum = 0;
      for (let i = 0; i < d; i++) sum += squares[a * d + i];
      const kernel = matern(sum / model.length ** 2);
      for (let t = 0; t < logs.length; t++) logs[t] += kernel * model.pulls[a * logs.length + t];
    }
    return logs.map(Math.exp);
  }

  // The objective, then every task: [mean, half width of the interval].
  function predict(weights) {
    const w = new Float64Array(model.totals);
    weights.forEach((weight, i) => (w[model.place[i]] += weight));
    const own = features(w);
    const toRuns = model.tasks.some((task) => task.processes.length) ? apart(own, model.runFeatures) : null;
    const found = model.tasks.map((task) => mean(task, w, own, toRuns));
    const spread = sds(own);
    const objective = model.tasks.reduce((sum, task, t) => sum + task.factor * found[t], model.offset);
    const variance = model.tasks.reduce((sum, task, t) => sum + (task.factor * spread[t]) ** 2, 0);
    return [
      [objective, model.z * Math.sqrt(model.inflation * variance)],
      ...found.map((value, t) => [value, model.z * spread[t]]),
    ];
  }

  const parts = rows.map((row) => {
    const [range, typed, hold] = row.querySelectorAll("input");
    return { row, range, typed, hold, epochs: row.querySelector(".epochs"), cap: row.querySelector(".mark.cap") };
  });
  let weights = [...model.mixes.proposal];
  let natural, proposal;

  const use = (limit) => Object.entries(limit.row).reduce((sum, [i, factor]) => sum + factor * weights[i], 0);
  const signed = (value) => (Math.abs(value) < 0.005 ? "0.00" : (value > 0 ? "+" : "") + value.toFixed(2));

  function showWeights(except) {
    parts.forEach((part, i) => {
      const percent = 100 * weights[i];
      part.row.dataset.weight = String(weights[i]);
      if (part.range !== except) part.range.value = percent;
      if (part.typed !== except) part.typed.value = percent.toFixed(2);
      const caps = model.epochs.filter((limit) => i in limit.row);
      const most = Math.min(1, ...caps.map((limit) => weights[i] + (limit.most - use(limit)) / limit.row[i]));
      const epochs = Math.max(...caps.map(use));
      part.epochs.textContent = `${epochs.toFixed(2)} of ${model.cap}`;
      part.epochs.classList.toggle("bad", epochs > model.cap * (1 + 1e-6));
      part.range.setAttribute("aria-valuetext", `${percent.toFixed(1)} %, ${part.epochs.textContent} epochs`);
      part.cap.hidden = 100 * most > model.scale;
      part.cap.style.setProperty("--a", Math.max(0, (100 * most) / model.scale));
    });
  }

  function broken() {
    const found = model.limits
      .filter((limit) => use(limit) > limit.most + 1e-4 * Math.max(1, Math.abs(limit.most)))
      .map((limit) => `Not allowed: ${limit.name}; here ${Math.abs(use(limit)).toFixed(2)}.`);
    const [low, high] = model.tried;
    const outside = model.domains.filter((_, i) => weights[i] > high[i] + 0.005 || weights[i] < low[i] - 0.005);
    if (outside.length) found.push(`No run had such a weight: ${outside.join(", ")}. The laws only guess there.`);
    return found;
  }

  function showPredictions() {
    const found = predict(weights);
    found.forEach(([value, half], i) => {
      const cells = lines[i].querySelectorAll("td");
      cells[0].textContent = value.toFixed(4);
      cells[0].dataset.value = String(value);
      cells[1].textContent = half.toFixed(4);
      cells[1].dataset.value = String(half);
      [natural, proposal].forEach((other, j) => {
        const cell = cells[2 + j];
        const change = 100 * (value / other[i][0] - 1);
        const better = i > 0 && model.tasks[i - 1].raised ? change > 0 : change < 0;
        cell.textContent = signed(change);
        cell.dataset.value = String(change);
        cell.className = Math.abs(change) < 0.005 ? "dim" : better ? "good" : "bad";
      });
    });
    const [objective, half] = found[0];
    const change = signed(100 * (objective / proposal[0][0] - 1));
    document.getElementById("whatif-summary").textContent =
      `Objective ${objective.toFixed(4)} ± ${half.toFixed(4)}: ${change} % against the proposal, ` +
      `${signed(100 * (objective / natural[0][0] - 1))} % against natural; lower is better.`;
    const list = document.getElementById("whatif-broken");
    list.replaceChildren(...broken().map((text) => Object.assign(document.createElement("li"), { textContent: text, className: "warn" })));
    document.getElementById("whatif-yaml").value = yaml();
  }

  // Weights of four decimals that sum to 1, by the largest remainder.
  function yaml() {
    const units = weights.map((weight) => Math.floor(1e4 * weight + 1e-9));
    const order = weights.map((weight, i) => [1e4 * weight - units[i], i]).sort((a, b) => b[0] - a[0]);
    const missing = 10000 - units.reduce((sum, each) => sum + each, 0);
    for (let k = 0; k < missing; k++) units[order[k % order.length][1]] += 1;
    const name = (text) => (/^[A-Za-z_][\w.-]*$/.test(text) ? text : JSON.stringify(text));
    const used = model.domains.flatMap((domain, i) => (units[i] ? [`    ${name(domain)}: ${(units[i] / 1e4).toFixed(4)}`] : []));
    return ["references:", "  what_if:", ...used, ""].join("\n");
  }

  // Give one domain a weight; the others that are not held shrink or grow in proportion.
  function give(index, asked) {
    const free = parts.map((part, i) => i !== index && !part.hold.checked);
    if (!free.some(Boolean)) return;
    const held = weights.reduce((sum, each, i) => sum + (i === index || free[i] ? 0 : each), 0);
    const value = Math.min(Math.max(asked, 0), 1 - held);
    const shape = weights.map((each, i) => (free[i] ? each : 0));
    const some = shape.reduce((sum, each) => sum + each, 0);
    const by = some > 1e-9 ? shape : weights.map((_, i) => (free[i] ? model.prior[i] || 1e-9 : 0));
    const total = by.reduce((sum, each) => sum + each, 0);
    weights = weights.map((each, i) => (i === index ? value : free[i] ? ((1 - held - value) * by[i]) / total : each));
  }

  let waiting = false;
  function changed(except) {
    showWeights(except);
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      showPredictions();
    });
  }

  unpacked().then(() => {
    natural = predict(model.mixes.natural);
    proposal = predict(model.mixes.proposal);
    parts.forEach((part, i) => {
      part.range.addEventListener("input", () => {
        give(i, Number(part.range.value) / 100);
        changed(Math.abs(Number(part.range.value) - 100 * weights[i]) < 0.06 ? part.range : null);
      });
      part.typed.addEventListener("change", () => {
        if (Number.isFinite(part.typed.valueAsNumber)) give(i, part.typed.valueAsNumber / 100);
        changed(null);
      });
    });
    document.querySelectorAll("[data-mix]").forEach((button) =>
      button.addEventListener("click", () => {
        weights = [...model.mixes[button.dataset.mix]];
        changed(null);
      }),
    );
    const copy = document.querySelector("[data-copy]");
    copy.addEventListener("click", async () => {
      const area = document.getElementById("whatif-yaml");
      try {
        await navigator.clipboard.writeText(area.value);
        copy.textContent = "Copied";
      } catch {
        area.closest("details").open = true;
        area.select();
        copy.textContent = "Selected below";
      }
      setTimeout(() => (copy.textContent = "Copy as YAML"), 2000);
    });
    changed(null);
    document.getElementById("whatif").dataset.ready = "yes";
  });
})();
