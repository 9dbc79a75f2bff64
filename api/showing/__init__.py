"""Words and shapes for people, in Vietnamese and English: no HTTP, no terminal."""
