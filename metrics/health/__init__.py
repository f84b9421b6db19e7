"""The health of the system: signs of life, what stands still, what was sent, its own metrics."""
