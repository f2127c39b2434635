"""One function per page action or CLI command: load, compute, save, return a result."""
