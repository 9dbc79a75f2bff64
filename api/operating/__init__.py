"""What whoever runs the machine does: no token is asked."""
