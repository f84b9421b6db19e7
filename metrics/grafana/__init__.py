"""Grafana's dashboards as ours: pure functions from its JSON to a document, and what was left out."""
