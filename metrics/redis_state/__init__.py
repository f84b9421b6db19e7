"""State in Redis that knows no topic: the connection, claims and locks, rates, questions to workers, open drafts."""
