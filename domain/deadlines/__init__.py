"""The legal clock: working time, terms, pauses, and the account of every day. Pure arithmetic."""
