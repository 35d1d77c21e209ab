"""The studio: a local page where networks are drawn on, stepped through, built, trained and taken apart."""
