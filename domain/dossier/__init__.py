"""One dossier: its events, the commands that may be sent to it, its state and its decisions."""
