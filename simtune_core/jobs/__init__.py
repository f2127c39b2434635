"""Work in background processes: the folder contract, the launcher and its queue, the runner, the worker, the events."""
