"""The prediction log's side of the model server: each call becomes a record in the spool, a folder that `slipway-ship` empties."""
