"""The dates of a dossier: computed from its history by the rules that its events name."""
