"""Files of networks, in and out."""
