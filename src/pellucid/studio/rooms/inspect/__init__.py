"""The answers of room Inspect."""

from pellucid.studio.rooms.inspect.choices import choices, network
from pellucid.studio.rooms.inspect.look import look
from pellucid.studio.rooms.inspect.taken_apart import cell, channel
from pellucid.studio.rooms.inspect.why import attribution, dream, filters, patches

__all__ = ["attribution", "cell", "channel", "choices", "dream", "filters", "look", "network", "patches"]
