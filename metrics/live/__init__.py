"""To open pages: what is watched, what changed, the newest fragments, and the one `group_send`."""
