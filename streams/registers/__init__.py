"""Entries of the registers from files: catalogues, calendar decisions, what ships."""
