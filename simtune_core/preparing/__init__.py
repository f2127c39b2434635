"""Data made ready: imported in the background, split, described, exported. Each is a function of tables and a job."""
