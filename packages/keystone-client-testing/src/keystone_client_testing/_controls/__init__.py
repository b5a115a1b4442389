"""How a test directs a fake: faults, held transactions, rate limits, and what it should hear about at the end."""
