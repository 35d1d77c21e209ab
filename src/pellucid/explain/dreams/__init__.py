"""Parts of a dream: what is wanted (goals), how the picture is written (canvas) and moved (warp)."""
