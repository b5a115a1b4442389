"""The ways into the engine: an httpx transport, a respx router, a loopback server. Each is imported on demand."""
