"""One suite for each contract, run against the fake and the real thing."""
