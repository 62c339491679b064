"""`slipway-ship`: takes the records of the spool, makes typed rows of them and brings them to the collector, each once."""
