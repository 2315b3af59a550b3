"""Rows and cells as people read them. No HTTP, no templates."""
