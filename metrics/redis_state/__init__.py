"""What is in Redis besides what open pages show: the connection, claims and locks, rates, questions to workers."""
