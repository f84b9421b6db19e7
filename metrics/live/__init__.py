"""To open pages: what is watched, what changed, the newest fragments, and the one `group_send`.

All of it is about topics, so it stands above `metrics.redis_state`, where what knows no topic is in Redis.
"""
