"""CloudEvents and their payloads: what stands on the wire, in and out."""
