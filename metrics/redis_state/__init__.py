"""State in Redis besides that of open pages: the connection, claims and locks, rates, questions to workers."""
