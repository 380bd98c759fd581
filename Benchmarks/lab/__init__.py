"""The parts of run.py: the network, the programs, the figures."""
