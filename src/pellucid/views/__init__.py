"""Records made visible: text, figures, the report."""
