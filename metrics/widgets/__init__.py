"""Widgets: one view-model file a kind beside the machinery they share."""
