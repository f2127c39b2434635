// A Plotly chart that is updated in place: zoom and hidden curves stay while data grow. Lines marked editable can be dragged.

export default function ({ data, parentElement, setStateValue }) {
  const chart = parentElement.querySelector('.simtune-chart');
  chart.setAttribute('aria-label', data.alt);
  chart.style.minHeight = `${data.figure.layout.height ?? 340}px`;
  const theme = readTheme(chart);
  const edits = { shapePosition: (data.figure.layout.shapes ?? []).some((shape) => shape.editable) };
  const config = { responsive: true, displaylogo: false, edits, toImageButtonOptions: { scale: 2, filename: data.filename } };

  loadPlotly()
    .then((Plotly) => draw(Plotly, chart, themedTraces(data.figure.data, theme), themedLayout(data.figure.layout, theme), config).then(() => Plotly))
    .then((Plotly) => {
      if (chart.bound) return;
      chart.bound = true;
      chart.on('plotly_relayout', (change) => {
        for (const name of Object.keys(change)) {
          const moved = /^shapes\[(\d+)\]\.x0$/.exec(name);
          if (!moved) continue;
          const line = Number(moved[1]);
          const shape = chart.layout.shapes[line];
          if (shape.yref !== 'y' && (shape.y0 !== 0 || shape.y1 !== 1)) {
            Plotly.relayout(chart, { [`shapes[${line}].y0`]: 0, [`shapes[${line}].y1`]: 1 });
          }
          setStateValue('line', { place: line, x: change[name], at: Date.now() });
        }
      });
    })
    .catch((error) => { chart.textContent = `The chart cannot be drawn: ${error.message}`; });

  return () => { if (window.Plotly) window.Plotly.purge(chart); };
}
