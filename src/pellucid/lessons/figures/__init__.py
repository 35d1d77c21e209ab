"""What stands beside the prose: numbers of the engine, as plain records."""
