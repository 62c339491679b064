"""The prediction log as a run reads it: a span of time, only the columns that are needed, a few row groups at once."""
