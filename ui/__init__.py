"""Streamlit parts shared by pages: the frame, widgets, charts that live in the browser, job progress, error display."""
