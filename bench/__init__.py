"""Measured speed: our worker beside plain bridges, in one interleaved run."""
