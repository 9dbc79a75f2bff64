"""The use cases: how facts and commands become appends, and who may do what."""
