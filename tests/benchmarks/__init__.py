"""What the ledger must hold, measured beside others in the same run: `make bench`."""
