"""What flows in and out beside HTTP: CloudEvents, files, simulation."""
