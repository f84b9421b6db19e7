"""Delivery to open pages: watched topics, marks of changes, the newest fragments, and the one `group_send`."""
