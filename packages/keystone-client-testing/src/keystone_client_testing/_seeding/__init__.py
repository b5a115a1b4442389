"""Records that a test or a demonstration starts with."""
