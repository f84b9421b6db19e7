"""Actions of users and tasks: the only code that writes and then publishes."""
