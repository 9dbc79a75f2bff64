"""What keeps views: one host for all of them, that is given batches or pulls them."""
