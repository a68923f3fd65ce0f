"""Copying, capturing and removing master images: below a lock on the volume, in a folder of ours until proved."""
