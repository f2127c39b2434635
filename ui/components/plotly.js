// Shared by our chart components: Plotly, loaded once from this server, and the theme's colours put into a figure.

let plotlyPromise;

function loadPlotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  plotlyPromise ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = new URL('app/static/plotly.min.js', document.baseURI).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { plotlyPromise = undefined; reject(new Error('plotly.min.js cannot be loaded')); };
    document.head.appendChild(script);
  });
  return plotlyPromise;
}

// The config goes with the first figure only: Plotly compares it with what it noted of the element (whether it had a height
// yet, for one), and where that differs draws anew, losing the zoom.
function draw(Plotly, element, traces, layout, config) {
  const known = Boolean(element._fullLayout);
  return Plotly.react(element, traces, layout, ...(known ? [] : [config]));
}

function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const list = (name) => read(name, '').split(',').map((colour) => colour.trim()).filter(Boolean);
  return {
    ink: read('--st-text-color', '#222222'),
    paper: read('--st-background-color', '#ffffff'),
    grid: read('--st-border-color-light', '#80808055'),
    font: read('--st-font', 'sans-serif'),
    // places 1-10, 11-20, 21-30 of the marks #000001 ... that stand for theme colours in a figure
    marks: [...list('--st-chart-categorical-colors'), ...list('--st-chart-sequential-colors'), ...list('--st-chart-diverging-colors')],
  };
}

function recoloured(value, theme) {
  if (typeof value === 'string') {
    const mark = /^#0000(\d\d)$/.exec(value);
    return mark ? theme.marks[Number(mark[1]) - 1] ?? value : value;
  }
  if (Array.isArray(value)) return value.map((item) => recoloured(item, theme));
  if (value && typeof value === 'object' && !ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, recoloured(item, theme)]));
  }
  return value;
}

function themedTraces(traces, theme) {
  return traces.map((trace, place) => {
    const colour = theme.marks[place % 10];
    const drawn = recoloured(trace, theme);
    if (drawn.type === 'bar') drawn.marker = { color: colour, ...drawn.marker };
    else if (!drawn.type || drawn.type.startsWith('scatter')) drawn.line = { color: drawn.marker?.color ?? colour, ...drawn.line };
    return drawn;
  });
}

function themedLayout(layout, theme) {
  const given = recoloured(layout, theme);
  const axis = { gridcolor: theme.grid, linecolor: theme.grid, tickcolor: theme.grid, zeroline: false, automargin: true };
  const themed = {
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: theme.ink, family: theme.font, size: 13 },
    hoverlabel: { bgcolor: theme.paper, bordercolor: theme.grid, font: { color: theme.ink } },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: '#808080', activecolor: theme.ink, orientation: 'v' },
    ...given,
  };
  const names = new Set(['xaxis', 'yaxis', ...Object.keys(given).filter((name) => /^[xy]axis\d*$/.test(name))]);
  for (const name of names) {
    const own = given[name] ?? {};
    const title = { standoff: 8, font: { size: 13 }, ...(typeof own.title === 'string' ? { text: own.title } : own.title) };
    themed[name] = { ...axis, ...(name.startsWith('x') ? { showgrid: false } : {}), ...own, title };
  }
  return themed;
}
