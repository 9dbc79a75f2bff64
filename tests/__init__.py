"""Everything that is proved about the code, in the folders of what it proves."""
