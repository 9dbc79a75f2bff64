"""The law of deadlines: vectors, decided rules, the catalogue, and laws that always hold."""
