"""What the adapters promise."""
