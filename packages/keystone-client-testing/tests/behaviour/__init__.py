"""What the fake promises, seen from outside."""
