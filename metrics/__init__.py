"""The domain: samples, series, dashboards, and how they become live pages."""
