"""What a dossier is, what may happen to it, and how its history is read. Pure: no I/O, no clock."""
