"""What the system says of itself: signs of life, what stands still, what was sent, its own metrics."""
