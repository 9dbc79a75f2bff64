"""HTTP: one module for each resource, with its parameters, its answers and its problems."""
