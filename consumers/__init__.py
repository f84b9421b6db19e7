"""WebSockets: one hub a process, and thin consumers that join it."""
