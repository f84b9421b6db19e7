"""Delivery to open pages: watched topics, marks of changes, the newest fragments, and the one `group_send`.

All of it is about topics, so it stands above `metrics.redis_state`, which has all in Redis that knows no topic.
"""
