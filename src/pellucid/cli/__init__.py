"""The command ``pellucid``: parse, call, print."""
