"""The workbench: `streamlit run app.py`."""

from ui.frame import run_app

run_app()
