"""What a window is compared with: the reference rows of a version, whose profile is frozen once, or a past window."""
