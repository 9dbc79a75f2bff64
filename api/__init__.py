"""The ways in for people and programs: HTTP, pages, command line."""
