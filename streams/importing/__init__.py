"""Files that are imported: their forms, their mappings, their rows."""
