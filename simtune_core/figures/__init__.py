"""Every chart of the workbench: a result in, a Plotly figure out; no reading, no Streamlit."""
