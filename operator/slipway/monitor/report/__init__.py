"""The report of a run: one HTML file with all that it draws, that asks nobody for anything."""
