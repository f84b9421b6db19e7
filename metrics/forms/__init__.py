"""Forms of configs: a pydantic class in, entries of an HTML form out; what was typed in, a config out. Pure."""
