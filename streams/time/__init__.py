"""What time brings about, turned into commands."""
