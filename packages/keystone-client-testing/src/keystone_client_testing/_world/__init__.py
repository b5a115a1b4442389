"""What a fake remembers: records, sessions, the clock, planned faults, and the journal of requests."""
