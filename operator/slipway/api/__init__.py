"""The API of Slipway: pydantic kinds are the source, CRDs and spec pages are generated from them."""
