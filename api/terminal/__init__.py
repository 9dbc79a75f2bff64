"""The command `hoso`: one module for each group of verbs."""
