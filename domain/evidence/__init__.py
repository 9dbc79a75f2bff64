"""What proves that nothing was changed: bytes in, hashes out."""
