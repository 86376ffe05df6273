"""Examines a deployed environment, or the simulators, with the code that carries calls there."""
