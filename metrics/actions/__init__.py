"""What users and tasks do: the only code that writes and then publishes."""
