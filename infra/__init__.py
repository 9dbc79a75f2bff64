"""Adapters: PostgreSQL, keys, settings. The only place that opens connections."""
