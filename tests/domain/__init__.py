"""What the domain promises, without any service."""
