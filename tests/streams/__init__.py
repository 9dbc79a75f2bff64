"""Tests of what flows in and out beside HTTP."""
