"""The HTTP application as its users meet it: real ledger, real PostgreSQL, in process."""
