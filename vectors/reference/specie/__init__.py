"""What docs/spec says, in Python, for nothing but making and checking test vectors: slow, and not constant-time."""
