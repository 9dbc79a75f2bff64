"""Tests of the read models, alone and on a real PostgreSQL."""
