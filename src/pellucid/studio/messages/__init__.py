"""What the page and Python say to each other: one file per room, nothing but Pydantic models.

The build of the page makes TypeScript types of them, where Pellucid is not installed: import Pydantic only.
"""
