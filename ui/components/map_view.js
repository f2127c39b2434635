// One map or two of the same points. What goes up to the server is the outline of a selection or one point, never the points
// inside; they are found here and there by the same arithmetic. Texts are shown as text.

const CORNERS_AT_MOST = 100;
const NARROW = 640; // pixels below which two maps stand one above the other
const RING = 8; // pixels around the point that was clicked

function bytesOf(text) { return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)); }

async function unpacked(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

function numbersOf(value) {
  if (!value || Array.isArray(value)) return value ?? [];
  const bytes = bytesOf(value.bdata);
  const kind = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array }[value.dtype];
  return new kind(bytes.buffer);
}

function isInside(corners, x, y) {
  let found = false;
  for (let place = 0; place < corners.length; place += 1) {
    const [x1, y1] = corners[place];
    const [x2, y2] = corners[(place + corners.length - 1) % corners.length];
    if ((y1 > y) !== (y2 > y) && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) found = !found;
  }
  return found;
}

// The outline that Plotly tells of: which map, and at most CORNERS_AT_MOST corners in whole grid units.
function regionOf(event) {
  const told = event.lassoPoints ?? event.range;
  const name = Object.keys(told).find((key) => key.startsWith('x'));
  const xs = told[name];
  const ys = told[name.replace('x', 'y')];
  const corners = event.lassoPoints
    ? xs.map((x, place) => [Math.round(x), Math.round(ys[place])])
    : [[xs[0], ys[0]], [xs[1], ys[0]], [xs[1], ys[1]], [xs[0], ys[1]]].map(([x, y]) => [Math.round(x), Math.round(y)]);
  const step = Math.ceil(corners.length / CORNERS_AT_MOST);
  const kept = corners.filter((_, place) => place % step === 0);
  return kept.length < 3 ? null : { layer: Number(name.slice(1) || 1) - 1, corners: kept };
}

const CHOSEN = new Map(); // by map: the subject, the outline and the point, kept while other pages are shown

function made(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

class MapView {
  constructor(root) {
    root.replaceChildren();
    this.root = root;
    this.plot = made('div', 'mv-plot', root);
    this.plot.setAttribute('role', 'img');
    this.tip = made('div', 'mv-tip', root);
    this.tip.hidden = true;
    const bar = made('div', 'mv-bar', root);
    this.status = made('span', 'mv-status', bar);
    this.status.setAttribute('role', 'status');
    this.clear = made('button', 'mv-clear', bar);
    this.clear.type = 'button';
    this.clear.textContent = 'Clear selection';
    this.clear.onclick = () => { this.tell('region', null); this.tell('point', null); };
    this.n_draws = 0;
  }

  async render(data, setStateValue) {
    if (CHOSEN.get(data.key)?.subject !== data.subject) CHOSEN.set(data.key, { subject: data.subject, region: null, point: null });
    this.chosen = CHOSEN.get(data.key);
    this.data = data;
    this.setStateValue = setStateValue;
    this.plot.setAttribute('aria-label', data.alt);
    if (data.texts !== this.packed) {
      this.packed = data.texts;
      this.texts = [];
      unpacked(data.texts).then((texts) => { this.texts = texts; });
    }
    this.Plotly = await loadPlotly();
    await this.draw();
    if (!this.bound) this.bind();
  }

  traces() {
    const theme = readTheme(this.root);
    const traces = themedTraces(this.data.figure.data, theme);
    this.inLayer = traces.length / this.data.layers;
    traces.forEach((trace, place) => {
      for (const name of ['x', 'y', 'customdata']) trace[name] = numbersOf(trace[name]);
      if (trace.marker.color?.bdata) trace.marker.color = numbersOf(trace.marker.color);
      trace.marker.color ??= traces[place % this.inLayer].marker.color; // of both maps, sent once
    });
    traces.forEach((trace, place) => { trace.selectedpoints = this.selectedIn(traces, place % this.inLayer); });
    return traces;
  }

  selectedIn(traces, group) {
    if (!this.chosen.region) return null;
    const { x, y } = traces[this.chosen.region.layer * this.inLayer + group];
    return Array.from(x.keys()).filter((place) => isInside(this.chosen.region.corners, x[place], y[place]));
  }

  layout(traces) {
    const theme = readTheme(this.root);
    const layout = structuredClone(themedLayout(this.data.figure.layout, theme));
    layout.selections = [];
    layout.selectionrevision = this.n_draws; // Plotly's own outline goes: ours, with fewer corners, stands for it
    layout.shapes = [...this.outline(theme), ...this.rings(traces, theme)];
    layout.newselection = { line: { color: theme.ink, width: 1, dash: 'dot' } };
    if (this.data.layers === 2 && this.root.clientWidth < NARROW) {
      layout.height *= 1.7;
      Object.assign(layout.xaxis, { domain: [0, 1] });
      Object.assign(layout.xaxis2, { domain: [0, 1] });
      Object.assign(layout.yaxis, { domain: [0.54, 1] });
      Object.assign(layout.yaxis2, { domain: [0, 0.46] });
      (layout.annotations ?? []).forEach((title, place) => { Object.assign(title, { x: 0.5, y: place ? 0.46 : 1 }); });
    }
    return layout;
  }

  outline(theme) {
    if (!this.chosen.region) return [];
    const suffix = this.chosen.region.layer ? this.chosen.region.layer + 1 : '';
    const path = `M ${this.chosen.region.corners.map(([x, y]) => `${x},${y}`).join(' L ')} Z`;
    return [{ type: 'path', path, xref: `x${suffix}`, yref: `y${suffix}`, line: { color: theme.ink, width: 1, dash: 'dot' } }];
  }

  rings(traces, theme) {
    if (this.chosen.point === null) return [];
    for (let group = 0; group < this.inLayer; group += 1) {
      const row = traces[group].customdata.indexOf(this.chosen.point);
      if (row < 0) continue;
      return Array.from({ length: this.data.layers }, (_, layer) => {
        const trace = traces[layer * this.inLayer + group];
        const suffix = layer ? layer + 1 : '';
        return {
          type: 'circle', xref: `x${suffix}`, yref: `y${suffix}`, xsizemode: 'pixel', ysizemode: 'pixel', xanchor: trace.x[row],
          yanchor: trace.y[row], x0: -RING, x1: RING, y0: -RING, y1: RING, line: { color: theme.ink, width: 2 },
        };
      });
    }
    return [];
  }

  draw() {
    this.n_draws += 1;
    const traces = this.traces();
    const layout = this.layout(traces);
    this.drawn = traces;
    const n_inside = traces.slice(0, this.inLayer).reduce((sum, trace) => sum + (trace.selectedpoints?.length ?? 0), 0);
    this.status.textContent = this.chosen.region ? `${n_inside.toLocaleString('en')} ${this.data.what} inside the outline` : `Draw around ${this.data.what} to see their rows; click one to see its neighbours.`;
    this.clear.hidden = !this.chosen.region && this.chosen.point === null;
    this.plot.style.minHeight = `${layout.height}px`;
    const config = {
      responsive: true, displaylogo: false, toImageButtonOptions: { scale: 2, filename: this.data.key },
      modeBarButtons: [['lasso2d', 'select2d', 'pan2d', 'zoom2d'], ['zoomIn2d', 'zoomOut2d', 'resetScale2d'], ['toImage']],
    };
    return draw(this.Plotly, this.plot, traces, layout, config);
  }

  bind() {
    this.bound = true;
    this.plot.on('plotly_selected', (event) => {
      if (!event || !(event.lassoPoints || event.range)) return;
      this.tell('region', regionOf(event));
    });
    this.plot.on('plotly_deselect', () => { if (this.chosen.region) this.tell('region', null); });
    this.plot.on('plotly_click', (event) => this.tell('point', this.placeOf(event.points[0])));
    this.plot.on('plotly_hover', (event) => this.show(event));
    this.plot.on('plotly_unhover', () => { this.tip.hidden = true; });
  }

  tell(name, value) {
    this.chosen[name] = value;
    const told = name === 'point' ? { place: value } : value ?? { layer: 0, corners: [] };
    this.setStateValue(name, { ...told, at: Date.now() });
    this.draw();
  }

  placeOf(point) { return this.drawn[point.curveNumber % this.inLayer].customdata[point.pointNumber]; }

  show(event) {
    const point = event.points[0];
    const trace = this.drawn[point.curveNumber];
    const number = this.data.names.length ? null : trace.marker.color[point.pointNumber];
    const head = document.createElement('b');
    const value = number === null ? this.data.names[point.curveNumber % this.inLayer] : number.toFixed(2);
    head.textContent = this.data.title === 'category' ? '' : `${this.data.title}: ${value}`; // the text tells the category
    this.tip.replaceChildren(head, document.createTextNode(this.texts[this.placeOf(point)] ?? ''));
    this.tip.hidden = false;
    const box = this.root.getBoundingClientRect();
    const [x, y] = [event.event.clientX - box.left, event.event.clientY - box.top];
    const right = x > box.width / 2;
    this.tip.style.left = right ? 'auto' : `${x + 12}px`;
    this.tip.style.right = right ? `${box.width - x + 12}px` : 'auto';
    this.tip.style.top = `${Math.max(0, y - 10)}px`;
  }
}

const VIEWS = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.simtune-map');
  if (!VIEWS.has(root)) VIEWS.set(root, new MapView(root));
  const view = VIEWS.get(root);
  view.render(data, setStateValue).catch((error) => { root.textContent = `The map cannot be drawn: ${error.message}`; });
  return () => { if (window.Plotly) window.Plotly.purge(view.plot); VIEWS.delete(root); };
}
