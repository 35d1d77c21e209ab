"""The steps drawn: as GIF, PNG, SVG, a page, and in a terminal."""
