"""Drivers for the real programs that Sidetone is tested against: one file each."""
