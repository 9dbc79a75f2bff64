"""The registers, one kind a module, and the rule book that is folded from them."""
