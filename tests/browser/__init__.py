"""Tests that look with Chromium at one system, which what they break in it does not outlast."""
