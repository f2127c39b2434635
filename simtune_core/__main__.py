"""`python -m simtune_core`: the workbench without a browser."""

from simtune_core.cli import main

main()
