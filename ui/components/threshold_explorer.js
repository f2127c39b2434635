// Every threshold's confusion counts are in the page, so a drag asks the server for nothing; only its end is sent.

const METRICS = [
  { name: 'fpr', label: 'FP rate', title: 'False-positive rate: share of the really different pairs that are called similar', percent: true, lowIsGood: true, of: (c) => ratio(c.fp, c.fp + c.tn) },
  { name: 'precision', label: 'Precision', percent: true, of: (c) => ratio(c.tp, c.tp + c.fp) },
  { name: 'recall', label: 'Recall', percent: true, of: (c) => ratio(c.tp, c.tp + c.fn) },
  { name: 'f1', label: 'F1', of: (c) => ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn) },
  { name: 'mcc', label: 'MCC', of: matthews },
  { name: 'accuracy', label: 'Accuracy', percent: true, of: (c) => ratio(c.tp + c.tn, c.tp + c.tn + c.fp + c.fn) },
];
const CELLS = [
  { name: 'tn', row: ['tn', 'fp'], title: 'true negatives' },
  { name: 'fp', row: ['tn', 'fp'], title: 'false positives' },
  { name: 'fn', row: ['fn', 'tp'], title: 'false negatives' },
  { name: 'tp', row: ['fn', 'tp'], title: 'true positives' },
];
const UNANSWERED_MS = 4000;

function ratio(part, whole) { return whole > 0 ? part / whole : null; }

function matthews(c) {
  const margins = [c.tp + c.fp, c.tp + c.fn, c.tn + c.fp, c.tn + c.fn];
  if (margins.some((margin) => margin === 0)) return null;
  return (c.tp * c.tn - c.fp * c.fn) / Math.sqrt(margins.reduce((product, margin) => product * margin, 1));
}

function shown(metric, value) {
  if (value === null) return 'not defined';
  return metric.percent ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);
}

function node(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function luminance(colour) {
  const parts = /^#(..)(..)(..)$/.exec(colour);
  if (!parts) return 0.5;
  const [r, g, b] = parts.slice(1).map((hex) => parseInt(hex, 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

class Explorer {
  constructor(root) {
    this.root = root;
    this.cards = [];
    this.sent = null; // the index that the server has not answered yet, and when it was sent
    this.frame = 0;
  }

  render(data, setStateValue) {
    const built = JSON.stringify([data.models.map((model) => [model.name, model.failed, model.chosen]), data.shared, data.stacked]);
    this.data = data;
    this.setStateValue = setStateValue;
    this.theme = readTheme(this.root);
    if (built !== this.built) { this.build(); this.built = built; this.sent = null; this.indices = null; }
    this.accept(data.indices);
    this.drawPlots();
    this.update();
  }

  // A message under way carries the index before the drag that has just ended; it must not pull the slider back.
  accept(indices) {
    const text = JSON.stringify(indices);
    if (this.sent && Date.now() - this.sent.at < UNANSWERED_MS) {
      if (text !== this.sent.text) return;
    }
    this.sent = null;
    if (!this.dragging || !this.indices) this.indices = [...indices];
  }

  build() {
    this.root.replaceChildren();
    const bar = node('div', 'te-bar');
    this.sliders = [];
    if (this.data.shared) bar.append(this.control('Decision threshold', null));
    bar.append(this.legend());
    const cards = node('div', `te-cards te-of-${this.data.models.length}${this.data.shared ? '' : ' te-own'}${this.data.stacked ? ' te-stacked' : ''}`);
    this.cards = this.data.models.map((model, place) => this.card(model, place));
    cards.append(...this.cards.map((card) => card.element));
    this.status = node('div', 'te-status');
    this.status.setAttribute('role', 'status');
    this.status.setAttribute('aria-live', 'polite');
    this.root.append(bar, cards, this.status);
  }

  legend() {
    const legend = node('div', 'te-legend');
    const marks = [['negative pairs', ''], ['positive pairs', ''], ['threshold', 'te-rule']];
    if (this.data.models.some((model) => model.chosen !== null)) marks.push(['chosen on dev', 'te-rule te-dotted']);
    if (this.data.zone) marks.push(['grey zone', 'te-zone']);
    this.swatches = marks.map(([text, className]) => {
      const entry = node('span');
      const swatch = node('i', `te-swatch ${className}`);
      entry.append(swatch, document.createTextNode(text));
      legend.append(entry);
      return swatch;
    });
    return legend;
  }

  control(text, place) {
    const element = node('div', 'te-control');
    const label = node('label', '', text);
    const range = node('input');
    const output = node('output');
    range.type = 'range';
    range.min = 0;
    range.step = 1;
    range.max = this.data.thresholds.length - 1;
    range.id = `${this.data.id}-${place ?? 'all'}`;
    label.htmlFor = range.id;
    output.htmlFor = range.id;
    range.oninput = () => { this.dragging = true; this.move(place, Number(range.value)); };
    range.onchange = () => { this.dragging = false; this.move(place, Number(range.value)); this.send(); };
    element.append(label, range, output);
    this.sliders.push({ range, output, place });
    return element;
  }

  card(model, place) {
    const element = node('section', model.failed ? 'te-card te-failed' : 'te-card');
    element.setAttribute('aria-label', model.name);
    const head = node('div', 'te-head');
    head.append(node('span', 'te-name', model.failed ? `⚠ ${model.name}` : model.name));
    if (model.baseline) head.append(node('span', 'te-tag', 'baseline'));
    if (model.chosen !== null) head.append(this.jump(model, place));
    if (model.failed) head.append(node('div', 'te-alarm', `Do not trust these numbers: ${model.failed}`));
    const note = node('div', 'te-note');
    head.append(note);
    element.append(head);
    if (!this.data.shared) element.append(this.control('Threshold', place));
    const metrics = METRICS.map((metric) => this.metric(metric));
    const grid = node('div', 'te-metrics');
    grid.append(...metrics.map((metric) => metric.element));
    const body = node('div', 'te-body');
    const plot = node('div', 'te-plot');
    plot.setAttribute('role', 'img');
    plot.style.minHeight = `${this.data.height}px`;
    const matrix = this.matrix(model, place);
    body.append(plot, matrix.element);
    for (const part of [grid, body]) {
      const box = node('div', 'te-box');
      box.append(part);
      element.append(box);
    }
    return { element, metrics, note, plot, cells: matrix.cells, model, place };
  }

  jump(model, place) {
    const button = node('button', 'te-link', `go to dev threshold ${model.chosen.toFixed(2)}`);
    button.type = 'button';
    button.onclick = () => {
      const distance = this.data.thresholds.map((threshold) => Math.abs(threshold - model.chosen));
      this.move(this.data.shared ? null : place, distance.indexOf(Math.min(...distance)));
      this.send();
    };
    return button;
  }

  metric(metric) {
    const element = node('div', 'te-metric');
    const value = node('div', 'te-value');
    const delta = node('div', 'te-delta');
    const label = node('div', 'te-label', metric.label);
    if (metric.title) element.title = metric.title;
    element.append(label, value, delta);
    element.dataset.metric = metric.name;
    return { element, value, delta };
  }

  matrix(model, place) {
    const element = node('div', 'te-matrix');
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', `Confusion matrix of ${model.name}`);
    element.append(node('span'), node('span', 'te-axis', 'predicted different'), node('span', 'te-axis', 'predicted similar'));
    const cells = {};
    for (const cell of CELLS) {
      if (cell.name === 'tn') element.append(node('span', 'te-axis te-row', 'really different'));
      if (cell.name === 'fn') element.append(node('span', 'te-axis te-row', 'really similar'));
      const button = node('button', 'te-cell');
      button.type = 'button';
      button.dataset.cell = cell.name;
      button.append(node('b'), node('small'));
      button.onclick = () => this.choose(place, cell.name);
      cells[cell.name] = button;
      element.append(button);
    }
    element.append(node('div', 'te-hint', this.data.clickable ? 'Click a cell or the chart to see its pairs.' : 'Click a cell to see its pairs.'));
    return { element, cells };
  }

  choose(place, cell) {
    this.data.cell = { model: this.data.models[place].name, cell };
    this.setStateValue('cell', { ...this.data.cell, at: Date.now() });
    this.update();
  }

  move(place, index) {
    this.indices = this.indices.map((held, at) => (place === null || at === place ? index : held));
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.update());
  }

  send() {
    this.sent = { text: JSON.stringify(this.indices), at: Date.now() };
    const places = Object.fromEntries(this.data.models.map((model, place) => [model.name, this.indices[place]]));
    this.setStateValue('index', { of: places, at: this.sent.at });
    const spoken = this.cards.map((card) => `${card.model.name} at ${this.threshold(card.place).toFixed(3)}: `
      + METRICS.map((metric) => `${metric.label} ${shown(metric, metric.of(this.counts(card.place)))}`).join(', '));
    this.status.textContent = spoken.join('. ');
  }

  threshold(place) { return this.data.thresholds[this.indices[place]]; }

  counts(place) {
    const { table } = this.data.models[place];
    const index = this.indices[place];
    return { tn: table.tn[index], fp: table.fp[index], fn: table.fn[index], tp: table.tp[index] };
  }

  update() {
    this.frame = 0;
    for (const slider of this.sliders) {
      const index = this.indices[slider.place ?? 0];
      if (Number(slider.range.value) !== index) slider.range.value = index;
      slider.output.textContent = this.data.thresholds[index].toFixed(3);
      slider.range.style.setProperty('--te-share', `${(100 * index) / (this.data.thresholds.length - 1)}%`);
      slider.range.setAttribute('aria-valuetext', `threshold ${this.data.thresholds[index].toFixed(3)}`);
    }
    const basis = this.data.models.findIndex((model) => model.baseline);
    for (const card of this.cards) {
      const counts = this.counts(card.place);
      card.note.textContent = this.data.models[card.place].note;
      const against = basis >= 0 && basis !== card.place && !card.model.failed ? this.counts(basis) : null;
      METRICS.forEach((metric, place) => this.writeMetric(card.metrics[place], metric, counts, against));
      this.writeMatrix(card, counts);
      this.moveLine(card);
    }
  }

  writeMetric(drawn, metric, counts, against) {
    const value = metric.of(counts);
    drawn.value.textContent = shown(metric, value);
    drawn.value.classList.toggle('te-undefined', value === null);
    const other = against && metric.of(against);
    const difference = value === null || other === null ? null : value - other;
    drawn.delta.className = 'te-delta';
    if (difference === null) { drawn.delta.textContent = ''; return; }
    const size = metric.percent ? `${Math.abs(100 * difference).toFixed(1)} points` : Math.abs(difference).toFixed(3);
    if (Number.parseFloat(size) === 0) { drawn.delta.textContent = '= baseline'; return; }
    const better = (difference > 0) !== Boolean(metric.lowIsGood);
    drawn.delta.textContent = `${difference > 0 ? '↑' : '↓'} ${size}`;
    drawn.delta.title = `${better ? 'better' : 'worse'} than the baseline at its threshold`;
    drawn.delta.classList.add(better ? 'te-better' : 'te-worse');
  }

  writeMatrix(card, counts) {
    const scale = this.theme.marks.slice(10, 20);
    for (const cell of CELLS) {
      const button = card.cells[cell.name];
      const whole = counts[cell.row[0]] + counts[cell.row[1]];
      const share = whole > 0 ? counts[cell.name] / whole : 0;
      const colour = scale[Math.round(share * (scale.length - 1))] ?? '#808080';
      button.style.background = colour;
      button.style.color = luminance(colour) > 0.18 ? '#000000' : '#ffffff';
      button.firstChild.textContent = `${cell.name.toUpperCase()} ${counts[cell.name].toLocaleString('en')}`;
      button.lastChild.textContent = whole > 0 ? `${(100 * share).toFixed(1)} % of row` : 'empty row';
      button.setAttribute('aria-label', `${counts[cell.name]} ${cell.title} of ${card.model.name}; show these pairs`);
      const chosen = this.data.cell?.model === card.model.name && this.data.cell?.cell === cell.name;
      button.setAttribute('aria-pressed', String(chosen));
    }
  }

  moveLine(card) {
    const threshold = this.threshold(card.place);
    card.plot.setAttribute('aria-label', `Similarity of negative and positive pairs, ${card.model.name}, with a line at ${threshold.toFixed(3)}`);
    if (!card.drawn || card.at === threshold) return;
    card.at = threshold;
    window.Plotly.relayout(card.plot, {
      'shapes[0].x0': threshold, 'shapes[0].x1': threshold,
      'annotations[0].x': threshold, 'annotations[0].text': threshold.toFixed(3),
    });
  }

  drawPlots() {
    const colours = this.theme.marks;
    this.swatches[0].style.background = colours[0];
    this.swatches[1].style.background = `repeating-linear-gradient(135deg, ${colours[1]} 0 3px, ${colours[1]}66 3px 5px)`;
    loadPlotly().then((Plotly) => Promise.all(this.cards.map((card) => this.drawPlot(Plotly, card))))
      .catch((error) => { for (const card of this.cards) card.plot.textContent = `The chart cannot be drawn: ${error.message}`; });
  }

  drawPlot(Plotly, card) {
    const { histogram, name } = this.data.models[card.place];
    const layout = {
      height: this.data.height, barmode: 'overlay', bargap: 0, showlegend: false, uirevision: `${name} ${this.data.form}`, hovermode: 'x unified',
      margin: { l: 48, r: 10, t: 24, b: 44 },
      xaxis: { title: { text: this.data.space }, range: this.data.range, hoverformat: '.2f' },
      yaxis: { title: { text: this.data.unit }, ...(this.data.top ? { range: [0, this.data.top] } : {}) },
      ...this.lines(this.threshold(card.place), this.data.models[card.place]),
    };
    const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'] };
    return draw(Plotly, card.plot, this.traces(histogram), themedLayout(layout, this.theme), config).then(() => {
      card.drawn = true;
      card.at = undefined;
      this.moveLine(card);
      if (card.bound) return;
      card.bound = true;
      card.plot.on('plotly_click', (event) => this.chooseBar(card, event));
    });
  }

  traces(histogram) {
    const hatched = { shape: '/', solidity: 0.25, fillmode: 'overlay' };
    const hover = this.data.unit === 'pairs' ? '%{y}' : '%{y:.2f} %';
    const [negative, positive] = this.theme.marks;
    if (this.data.form === 'lines') {
      const line = (name, y, more) => ({ type: 'scatter', mode: 'lines', name, x: histogram.edges, y, hovertemplate: hover, line: { shape: 'linear', width: 2, ...more } });
      return [line('negative pairs', histogram.negative, { color: negative }), line('positive pairs', histogram.positive, { color: positive, dash: 'dash' })];
    }
    const bars = (name, y, marker) => ({ type: 'bar', name, x: histogram.centres, y, width: histogram.width, opacity: 0.7, hovertemplate: hover, marker });
    return [bars('negative pairs', histogram.negative, { color: negative }), bars('positive pairs', histogram.positive, { color: positive, pattern: hatched })];
  }

  // Both classes' bars stand at one place, the positives in front: the height of the click says which one was meant.
  chooseBar(card, event) {
    const { histogram, name } = this.data.models[card.place];
    const point = event.points?.[0];
    if (!this.data.clickable || !point) return;
    const { left, top } = card.plot.querySelector('.nsewdrag').getBoundingClientRect();
    const x = card.plot._fullLayout.xaxis.p2d(event.event.clientX - left);
    const y = card.plot._fullLayout.yaxis.p2d(event.event.clientY - top);
    const bin = Math.min(Math.max(Math.floor((x - histogram.left) / histogram.width), 0), histogram.n - 1);
    const low = histogram.left + bin * histogram.width;
    let kind = 'all';
    if (this.data.form === 'bars') kind = y <= histogram.positive[bin] ? 'positive' : y <= histogram.negative[bin] ? 'negative' : 'all';
    this.setStateValue('bar', { model: name, kind, low, high: low + histogram.width, at: Date.now() });
  }

  lines(threshold, { name, chosen }) {
    const line = (x, dash) => ({ type: 'line', x0: x, x1: x, y0: 0, y1: 1, yref: 'paper', line: { color: this.theme.ink, width: 2, dash } });
    const area = ([x0, x1], more) => ({ type: 'rect', x0, x1, y0: 0, y1: 1, yref: 'paper', line: { width: 0 }, ...more });
    const label = (x, text, more) => ({ x, y: 1, yref: 'paper', text, showarrow: false, yanchor: 'bottom', font: { size: 12 }, ...more });
    const { zone, band } = this.data;
    const shapes = [line(threshold, 'dash')]; // moved by its place: the first
    const annotations = [label(threshold, threshold.toFixed(3), { font: { size: 13, weight: 600 } })];
    if (chosen !== null) shapes.push(line(chosen, 'dot'));
    if (zone) shapes.push(area(zone, { fillcolor: '#808080', opacity: 0.16, layer: 'below' }));
    if (band && band.model === name) shapes.push(area([band.low, band.high], { line: { color: this.theme.ink, width: 1.5 } }));
    return { shapes, annotations };
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    if (window.Plotly) for (const card of this.cards) window.Plotly.purge(card.plot);
  }
}

const explorers = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('.simtune-explorer');
  if (!explorers.has(root)) explorers.set(root, new Explorer(root));
  const explorer = explorers.get(root);
  explorer.render(data, setStateValue);
  return () => { explorer.destroy(); explorers.delete(root); };
}
